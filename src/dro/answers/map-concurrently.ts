/**
 * Does `work` for every item, `concurrency` at a time, and yields what comes of them in the order in which they end. The first failure
 * ends it: the others are aborted, and the failure is thrown once they and what had ended before have been seen to. Leaving the loop aborts what runs, too.
 */
export async function* mapConcurrently<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  { concurrency, signal }: { concurrency: number; signal: AbortSignal },
): AsyncGenerator<{ readonly item: Item; readonly result: Result }> {
  const giveUp = new AbortController();
  const together = AbortSignal.any([signal, giveUp.signal]);
  const iterator = items[Symbol.iterator]();
  const ended: { item: Item; result: Result }[] = [];
  const failures: unknown[] = [];
  const running = new Set<Promise<void>>();
  let wake = () => {};

  function startMore(): void {
    while (running.size < concurrency && failures.length === 0) {
      const next = iterator.next();
      if (next.done === true) return;
      const item = next.value;
      const task: Promise<void> = work(item, together)
        .then(
          (result) => {
            ended.push({ item, result });
          },
          (error: unknown) => {
            failures.push(error);
          },
        )
        .finally(() => {
          running.delete(task);
          wake();
        });
      running.add(task);
    }
  }

  try {
    for (;;) {
      // What has ended is worth keeping, whatever became of the rest.
      const next = ended.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      signal.throwIfAborted();
      if (failures.length > 0) throw failures[0];
      startMore();
      if (running.size === 0) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    giveUp.abort();
    await Promise.all(running);
  }
}
