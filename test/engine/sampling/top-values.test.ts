import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { kthLargest, topLogprobs } from '../../../src/engine/sampling/top-values.ts';

const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 300 });

t.test('the k-th largest is that of a sort', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 320 }), (all, k) => {
        const sorted = all.toSorted((a, b) => b - a);
        const found = kthLargest(Float32Array.from(all), k, new Float32Array(all.length));
        return found === sorted[Math.min(k, all.length) - 1];
      }),
    ),
  );
});

t.test('the top tokens are those of a stable sort, less the normaliser', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 20 }), (all, count) => {
        const expected = all
          .map((value, tokenId) => ({ tokenId, logprob: value - 3 }))
          .sort((a, b) => b.logprob - a.logprob || a.tokenId - b.tokenId);
        return isDeepStrictEqual(topLogprobs(Float32Array.from(all), 3, count), expected.slice(0, count));
      }),
    ),
  );
});
