import { MODEL } from './wire.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNKED_END = Buffer.from('0\r\n\r\n');
/** The fields before the messages take less; no more of a body is looked at. */
const FIELDS_BYTES = 512;
/** Where a body that asks for a stream says so; the bench's bodies say it before the messages. */
const STREAMS = '"stream":true,';
const MAX_TOKENS = /"max_tokens":(\d+)/;
/** How the gateway's own questions begin: no load puts its messages there. */
const PROBE = `{"model":"${MODEL}","messages":`;

export interface ReadRequest {
  readonly path: string;
  /** How many tokens the body asks for as server-sent events; 0: it wants its answer whole. */
  readonly tokens: number;
  /** The whole body of a question about the server; null for load, of which nothing is kept. */
  readonly probe: Buffer | null;
}

/** Finds the requests in a connection's bytes, and calls `onRequest` when one has been read whole. One at a time: clients here don't pipeline. */
export function createRequestReader(onRequest: (request: ReadRequest) => void) {
  let held: Buffer | null = null;
  let path = '';
  /** Bytes of the body that are still to come; -1: chunked, until its end; 0: none, a head is next. */
  let rest = 0;
  /** How the body begins: bodies of several pieces come in several reads. */
  let opening = '';
  let pieces: Buffer[] = [];

  function head(bytes: Buffer): void {
    const all = held === null ? bytes : Buffer.concat([held, bytes]);
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      held = all;
      return;
    }
    held = null;
    const text = all.toString('latin1', 0, end);
    path = text.slice(text.indexOf(' ') + 1, text.indexOf(' ', text.indexOf(' ') + 1));
    opening = '';
    pieces = [];
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    rest = length !== undefined ? Number(length) : /\r\ntransfer-encoding: *chunked/i.test(text) ? -1 : 0;
    if (rest === 0) finish();
    else if (all.length > end + HEAD_END.length) body(all.subarray(end + HEAD_END.length));
  }

  function body(bytes: Buffer): void {
    if (opening.length < FIELDS_BYTES) opening += bytes.toString('latin1', 0, FIELDS_BYTES);
    if (PROBE.startsWith(opening.slice(0, PROBE.length)) || opening.startsWith(PROBE)) pieces.push(bytes);
    if (rest < 0) {
      if (bytes.subarray(-CHUNKED_END.length).equals(CHUNKED_END)) finish();
      return;
    }
    rest -= bytes.length;
    if (rest <= 0) finish();
  }

  function finish(): void {
    rest = 0;
    const tokens = opening.includes(STREAMS) ? Number(MAX_TOKENS.exec(opening)?.[1] ?? 1) : 0;
    onRequest({ path, tokens, probe: opening.startsWith(PROBE) ? Buffer.concat(pieces) : null });
  }

  return { push: (bytes: Buffer): void => (rest === 0 ? head(bytes) : body(bytes)) };
}
