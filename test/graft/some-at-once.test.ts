import t from 'tap';
import { someAtOnce } from '../../src/graft/some-at-once.ts';

t.test('results come in the order of the items, and no more than asked run at a time', async (t) => {
  let running = 0;
  let most = 0;
  const results = await someAtOnce([5, 1, 4, 2, 3], 2, async (item) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < item; turn++) await new Promise(setImmediate);
    running--;
    return item * 10;
  });
  t.strictSame(results, [50, 10, 40, 20, 30]);
  t.equal(most, 2);
});

t.test('a failure is thrown once all that had begun has ended, and nothing begins after it', async (t) => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    for (let turn = 0; turn < item; turn++) await new Promise(setImmediate);
    if (item === 1) throw new Error('one');
    ended.push(item);
  };
  await t.rejects(someAtOnce([5, 1, 2, 3], 2, work), { message: 'one' });
  t.strictSame(begun, [5, 1]);
  t.strictSame(ended, [5]);
});
