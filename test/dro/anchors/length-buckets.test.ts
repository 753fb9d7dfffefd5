import fc from 'fast-check';
import t from 'tap';
import { bucketByLength } from '../../../src/dro/anchors/length-buckets.ts';

t.test('every row is in a batch that is long enough, and each length has one shape', async () => {
  const options = { step: 8, maxRows: 4 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }), (lengths) => {
      const batches = bucketByLength(lengths, options);
      const rows = new Map<number, number>();
      const seen = new Set<number>();
      for (const { tokens, indices } of batches) {
        if ((rows.get(tokens) ?? indices.length) !== indices.length || indices.length > options.maxRows) return false;
        rows.set(tokens, indices.length);
        for (const index of indices) {
          const length = lengths[index] ?? 0;
          if (length > tokens || length <= tokens - options.step) return false;
          seen.add(index);
        }
      }
      return seen.size === lengths.length;
    }),
  );
});
