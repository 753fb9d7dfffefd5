import { MODEL } from './wire.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
/** Where a body that asks for a stream says so; the bench's bodies say it before the messages. */
const STREAMS = Buffer.from('"stream":true,');
const MAX_TOKENS = /"max_tokens":(\d+)/;
/** The fields before the messages take less, and a model's first 64 KB read are not worth searching. */
const FIELDS_BYTES = 2048;
const CHUNKED_END = Buffer.from('0\r\n\r\n');

/** How the gateway's own questions begin: no load puts its messages there. */
const PROBE = Buffer.from(`{"model":"${MODEL}","messages":`);

export interface RequestHead {
  readonly path: string;
  /** How many tokens the body asks for as server-sent events; 0: it wants its answer whole. */
  readonly tokens: number;
  /** The whole body of a question about the server; null for load, of which nothing is kept. */
  readonly probe: Buffer | null;
}

/** Finds the requests in a connection's bytes, and calls `onRequest` when one has been read whole. One at a time: clients here don't pipeline. */
export function createRequestReader(onRequest: (head: RequestHead) => void) {
  let held: Buffer | null = null;
  let path = '';
  let tokens = 0;
  let probe: Buffer[] | null = null;
  /** Bytes of the body that are still to come; -1: chunked, until its end; 0: none, a head is next. */
  let rest = 0;

  function body(bytes: Buffer): void {
    probe?.push(bytes);
    if (tokens === 0 && bytes.length < 2 * FIELDS_BYTES && bytes.includes(STREAMS)) {
      tokens = Number(MAX_TOKENS.exec(bytes.toString('latin1', 0, FIELDS_BYTES))?.[1] ?? 1);
    }
    if (rest < 0) {
      if (bytes.length === 0 || !bytes.subarray(-CHUNKED_END.length).equals(CHUNKED_END)) return;
      rest = 0;
    } else {
      rest -= bytes.length;
      if (rest > 0) return;
      rest = 0;
    }
    onRequest({ path, tokens, probe: probe === null ? null : Buffer.concat(probe) });
  }

  return {
    push(bytes: Buffer): void {
      if (rest !== 0) {
        body(bytes);
        return;
      }
      const all = held === null ? bytes : Buffer.concat([held, bytes]);
      const end = all.indexOf(HEAD_END);
      if (end < 0) {
        held = all;
        return;
      }
      held = null;
      const head = all.toString('latin1', 0, end);
      path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', head.indexOf(' ') + 1));
      tokens = 0;
      probe = null;
      const length = /\r\ncontent-length: *(\d+)/i.exec(head);
      rest = length !== null ? Number(length[1]) : /\r\ntransfer-encoding: *chunked/i.test(head) ? -1 : 0;
      const begun = all.subarray(end + HEAD_END.length);
      if (begun.subarray(0, PROBE.length).equals(PROBE)) probe = [];
      if (rest === 0) onRequest({ path, tokens, probe: probe === null ? null : Buffer.concat(probe) });
      else body(begun);
    },
  };
}
