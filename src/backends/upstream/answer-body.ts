/** Bytes that wait here before the server is told to wait: a few reads of a socket. */
const MAX_WAITING_BYTES = 64 * 1024;

/** The server's side of a body: what it is told. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Nobody reads on. */
  abandon(): void;
}

/** A body between the connection that brings it and whoever reads it. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  push(chunk: Uint8Array): void;
  end(): void;
  /** What came before is still read. */
  fail(error: Error): void;
}

/**
 * A queue of bytes that is read as an async iterable, once. undici's own body is a Readable, whose iterator costs several times as much a
 * chunk; with thousands of streams that is what a gateway does. What has piled up is read in one piece.
 */
export function createAnswerBody(source: BodySource): AnswerBody {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let ended = false;
  let error: Error | null = null;
  let reader: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | null = null;

  /** Whoever waits for the next bytes; from now on nobody does. */
  function takeReader(): typeof reader {
    const taken = reader;
    reader = null;
    return taken;
  }

  function take(): Uint8Array {
    const [first = new Uint8Array()] = waiting;
    const taken = waiting.length === 1 ? first : Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
    return taken;
  }

  async function next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (waiting.length > 0) {
      const value = take();
      source.resume();
      return { value, done: false };
    }
    if (error !== null) throw error;
    if (ended) return { value: undefined, done: true };
    reader = Promise.withResolvers();
    return reader.promise;
  }

  return {
    push(chunk) {
      if (ended) return;
      const taken = takeReader();
      if (taken !== null) {
        taken.resolve({ value: chunk, done: false });
        return;
      }
      waiting.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_WAITING_BYTES) source.pause();
    },
    end() {
      ended = true;
      takeReader()?.resolve({ value: undefined, done: true });
    },
    fail(reason) {
      if (ended) return;
      ended = true;
      error = reason;
      takeReader()?.reject(reason);
    },
    [Symbol.asyncIterator]: () => ({
      next,
      async return() {
        waiting = [];
        takeReader()?.resolve({ value: undefined, done: true });
        if (!ended) {
          ended = true;
          source.abandon();
        }
        return { value: undefined, done: true };
      },
    }),
  };
}
