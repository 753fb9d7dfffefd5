/** A source that can be waited for together with other things: what was asked for and has not come stays asked for. */
export interface ReadAhead<Value> {
  /** Asks for the next value. Resolves when it is there, or there is none; never rejects. */
  next(): Promise<void>;
  /** What has come; null for nothing yet. Throws what the source threw. */
  taken(): IteratorResult<Value> | null;
  close(): Promise<void>;
}

export function readAhead<Value>(source: AsyncIterable<Value>): ReadAhead<Value> {
  const iterator = source[Symbol.asyncIterator]();
  let reading: Promise<void> | null = null;
  let come: (() => IteratorResult<Value>) | null = null;
  return {
    next() {
      reading ??= iterator.next().then(
        (result) => {
          come = () => result;
        },
        (error: unknown) => {
          come = () => {
            throw error;
          };
        },
      );
      return reading;
    },
    taken() {
      const result = come;
      if (result === null) return null;
      come = null;
      reading = null;
      return result();
    },
    async close() {
      await iterator.return?.();
    },
  };
}
