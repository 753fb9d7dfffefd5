import fc from 'fast-check';
import t from 'tap';
import { bucketFor, chooseBuckets } from '../../../src/dro/training/buckets.ts';

const padded = (lengths: readonly number[], buckets: readonly number[]) =>
  lengths.reduce((sum, length) => sum + bucketFor(buckets, length), 0);

/** All ways to choose at most two lengths, the longest among them. */
function leastOfTwo(lengths: readonly number[]): number {
  const longest = Math.max(...lengths);
  return Math.min(...lengths.map((shorter) => padded(lengths, [shorter, longest])));
}

t.test('one bucket is the longest row', async (t) => {
  t.same(chooseBuckets([5, 9, 7], 1), [9]);
});

t.test('as many buckets as lengths pad nothing', async (t) => {
  t.same(chooseBuckets([5, 9, 7, 5], 3), [5, 7, 9]);
});

t.test('two buckets pad as little as any two could', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
  fc.assert(fc.property(lengths, (rows) => padded(rows, chooseBuckets(rows, 2)) === leastOfTwo(rows)));
});

t.test('every row fits, in ascending buckets', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 6 }), (rows, count) => {
      const buckets = chooseBuckets(rows, count);
      const ascending = buckets.every((size, index) => index === 0 || size > (buckets[index - 1] ?? 0));
      return buckets.length <= count && ascending && rows.every((row) => bucketFor(buckets, row) >= row);
    }),
  );
});
