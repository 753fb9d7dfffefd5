import { connect, type Socket } from 'node:net';

/** A read takes at most this; the buffer is one for all connections, as nothing is kept of what was read. */
const READ_BYTES = 256 * 1024;
/** Ends of bodies are looked for in the last bytes of a read. */
const TAIL_BYTES = 64;
const CHUNKED_END = '0\r\n\r\n';
const DONE = '[DONE]';

export interface AnswerListener {
  /** Bytes came, the head's included. */
  bytes(): void;
  /** The answer is whole; `done`: it ended with `[DONE]`. */
  end(status: number, done: boolean): void;
  /** The connection is gone; it opens again with the next request. */
  broken(): void;
}

/**
 * One HTTP/1.1 connection that sends what it is given and only looks for the ends of answers: undici spends more on a chunk than the
 * gateways do, and both share a core with the mock.
 */
export function createRawClient(port: number, shared: Buffer = Buffer.allocUnsafeSlow(READ_BYTES)) {
  let socket: Socket | null = null;
  let listener: AnswerListener | null = null;
  let status = 0;
  /** Bytes that are still to come; -1: chunked. */
  let rest = 0;
  let done = false;

  function finish(): void {
    const finished = listener;
    listener = null;
    finished?.end(status, done);
  }

  function fail(): void {
    socket?.destroy();
    socket = null;
    const failed = listener;
    listener = null;
    failed?.broken();
  }

  function read(length: number): boolean {
    if (listener === null) return true;
    listener.bytes();
    let from = 0;
    if (status === 0) {
      const end = shared.indexOf('\r\n\r\n');
      // A head in two pieces: no server here sends one.
      if (end < 0 || end > length) {
        fail();
        return true;
      }
      const head = shared.toString('latin1', 0, end);
      status = Number(head.slice(9, 12));
      const given = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      rest = given === undefined ? -1 : Number(given);
      from = end + 4;
    }
    if (rest >= 0) {
      rest -= length - from;
      if (rest <= 0) finish();
      return true;
    }
    const tail = shared.toString('latin1', Math.max(from, length - TAIL_BYTES), length);
    done ||= tail.includes(DONE);
    if (tail.endsWith(CHUNKED_END)) finish();
    return true;
  }

  return {
    /** One at a time. */
    send(request: Buffer, answer: AnswerListener): void {
      listener = answer;
      status = 0;
      done = false;
      if (socket === null || socket.destroyed) {
        const opened = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: shared, callback: read } });
        opened.on('error', () => {});
        opened.on('close', () => {
          if (socket === opened) fail();
        });
        socket = opened;
      }
      socket.write(request);
    },
    /** Also makes an answer under way a broken one. */
    close: fail,
  };
}

export interface RequestParts {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The bytes of a chat request, made once and sent many times. */
export function requestBytes({ port, headers, body }: RequestParts): Buffer {
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
