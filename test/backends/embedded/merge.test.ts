import fc from 'fast-check';
import t from 'tap';
import { afterFirst, mergeInOrder } from '../../../src/backends/embedded/merge.ts';

/** A source that waits so many turns of the event loop before each value, and notes when it is ended. */
async function* source(values: readonly number[], turns: number, onEnd: () => void): AsyncGenerator<number> {
  try {
    for (const value of values) {
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      yield value;
    }
  } finally {
    onEnd();
  }
}

t.test('every value of every source, each source in its own order', async (t) => {
  const sources = fc.array(fc.tuple(fc.array(fc.nat(), { maxLength: 5 }), fc.nat(3)), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(sources, async (sources) => {
      const merged: number[][] = sources.map(() => []);
      for await (const { index, value } of mergeInOrder(
        sources.map(([values, turns]) => source(values, turns, () => {})),
      )) {
        merged[index]?.push(value);
      }
      return JSON.stringify(merged) === JSON.stringify(sources.map(([values]) => values));
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test('the first failure ends all, and so does who stops listening', async (t) => {
  let ended = 0;
  const onEnd = () => ended++;
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error('broken');
  }
  const failing = async () => {
    for await (const _ of mergeInOrder([source([1, 2, 3, 4], 1, onEnd), broken(), source([1, 2, 3, 4], 1, onEnd)]));
  };
  await t.rejects(failing(), { message: 'broken' });
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  t.equal(ended, 2);

  for await (const _ of mergeInOrder([source([1, 2], 0, onEnd), source([1, 2], 0, onEnd)])) break;
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  t.equal(ended, 4);
});

t.test('what fails before its first value fails at once; else all values come', async (t) => {
  async function* values(fail: boolean): AsyncGenerator<number> {
    if (fail) throw new Error('at once');
    yield 1;
    yield 2;
  }
  await t.rejects(afterFirst(values(true)), { message: 'at once' });
  const all: number[] = [];
  for await (const value of await afterFirst(values(false))) all.push(value);
  t.strictSame(all, [1, 2]);
  async function* none(): AsyncGenerator<number> {}
  for await (const _ of await afterFirst(none())) t.fail('there is none');
});
