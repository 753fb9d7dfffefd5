import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { mapConcurrently } from '../../../src/dro/answers/map-concurrently.ts';

const never = new AbortController().signal;

async function collect<T>(source: AsyncIterable<T>, into: T[]): Promise<void> {
  for await (const value of source) into.push(value);
}

t.test('results come as they end, and no more run at a time than asked for', async (t) => {
  let running = 0;
  let most = 0;
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const results: { item: number; result: number }[] = [];
  const work = async (item: number) => {
    most = Math.max(most, ++running);
    await gates[item]?.promise;
    running--;
    return 10 * item;
  };
  const done = collect(mapConcurrently([0, 1, 2, 3], work, { concurrency: 2, signal: never }), results);
  gates[1]?.resolve();
  gates[2]?.resolve();
  while (results.length < 2) await sleep(1);
  t.strictSame(
    results.map(({ item }) => item),
    [1, 2],
  );
  gates[3]?.resolve();
  gates[0]?.resolve();
  await done;
  t.equal(most, 2);
  t.strictSame(results.map(({ result }) => result).sort(), [0, 10, 20, 30]);
});

t.test('a failure aborts the others, and what had ended is still given', async (t) => {
  const aborted: number[] = [];
  const results: { item: number; result: string }[] = [];
  const work = async (item: number, signal: AbortSignal) => {
    if (item === 0) return 'done';
    if (item === 1) throw new Error('no');
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
    });
    aborted.push(item);
    return 'too late';
  };
  await t.rejects(collect(mapConcurrently([0, 1, 2, 3], work, { concurrency: 3, signal: never }), results), {
    message: 'no',
  });
  t.strictSame(results, [{ item: 0, result: 'done' }]);
  t.strictSame(aborted, [2]);
});

t.test('an abort ends it with its reason, after the work has ended', async (t) => {
  const abort = new AbortController();
  let ended = 0;
  const work = async (_item: number, signal: AbortSignal) => {
    await sleep(60_000, undefined, { signal }).catch(() => {});
    ended++;
  };
  const done = collect(mapConcurrently([1, 2], work, { concurrency: 2, signal: abort.signal }), []);
  setImmediate(() => abort.abort(new Error('enough')));
  await t.rejects(done, { message: 'enough' });
  t.equal(ended, 2);
});
