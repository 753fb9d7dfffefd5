export interface Merged<T> {
  /** Which of the sources. */
  readonly index: number;
  readonly value: T;
}

/**
 * The values of several sources in the order in which they arrive. Each source is asked for its next value only when its last one was
 * taken. The first failure ends it; ending it, however, ends every source.
 */
export async function* mergeInOrder<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<Merged<T>> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const arrived: { index: number; result: IteratorResult<T> }[] = [];
  const failures: unknown[] = [];
  let wake = () => {};

  const ask = (index: number) => {
    iterators[index]?.next().then(
      (result) => {
        arrived.push({ index, result });
        wake();
      },
      (error: unknown) => {
        failures.push(error);
        wake();
      },
    );
  };

  try {
    let open = iterators.length;
    for (let index = 0; index < iterators.length; index++) ask(index);
    while (open > 0) {
      if (failures.length > 0) throw failures[0];
      const next = arrived.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (next.result.done === true) {
        open--;
      } else {
        yield { index: next.index, value: next.result.value };
        ask(next.index);
      }
    }
  } finally {
    // Not awaited: a source that is in the middle of waiting ends only when its own signal fires.
    for (const iterator of iterators) iterator.return?.()?.catch(() => undefined);
  }
}

/** Waits for the first value, so that what fails at once fails before an answer has begun; then gives all of them. */
export async function afterFirst<T>(source: AsyncGenerator<T>): Promise<AsyncIterable<T>> {
  const first = await source.next();
  return (async function* () {
    try {
      if (first.done === true) return;
      yield first.value;
      yield* source;
    } finally {
      await source.return(undefined);
    }
  })();
}
