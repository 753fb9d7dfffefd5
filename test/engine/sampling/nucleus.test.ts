import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { keepNucleus } from '../../../src/engine/sampling/nucleus.ts';

/** The definition: in falling order, ties by place, keep while the mass before is under topP of the total. */
function naive(weights: Float32Array, total: number, topP: number): number[] {
  const order = [...weights.keys()].sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
  const kept: number[] = [];
  let before = 0;
  for (const index of order) {
    if (kept.length > 0 && before >= total * topP) break;
    kept.push(index);
    before += weights[index] ?? 0;
  }
  return kept.sort((a, b) => a - b);
}

// Multiples of 1/64 add up exactly, so that no rounding decides which side of the cut a token falls.
const exactWeights = fc
  .array(fc.integer({ min: 0, max: 64 }), { minLength: 1, maxLength: 80 })
  .filter((all) => all.some((n) => n > 0));

t.test('keeps what the sorted definition keeps, ties included', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(exactWeights, fc.integer({ min: 0, max: 1023 }), (all, thousandths) => {
        const weights = Float32Array.from(all, (n) => n / 64);
        const total = weights.reduce((a, b) => a + b);
        const topP = thousandths / 1024;
        const expected = naive(weights, total, topP);
        const ids = Int32Array.from(weights.keys());
        const kept = keepNucleus(ids, weights, ids.length, total, topP);
        return isDeepStrictEqual([...ids.subarray(0, kept)], expected);
      }),
      { numRuns: 300 },
    ),
  );
});

t.test('looks at the first `count` entries only', async (t) => {
  const ids = Int32Array.of(4, 9, 11, 12);
  const weights = Float32Array.of(0.5, 0.25, 1, 1);
  t.equal(keepNucleus(ids, weights, 2, 0.75, 0.5), 1);
  t.equal(ids[0], 4);
});

t.test('top_p 0 keeps the likeliest alone', async (t) => {
  const ids = Int32Array.of(0, 1, 2);
  t.equal(keepNucleus(ids, Float32Array.of(0.3, 1, 1), 3, 2.3, 0), 1);
  t.equal(ids[0], 1);
});

t.test('a mass that is exactly topP is enough', async (t) => {
  const ids = Int32Array.of(0, 1, 2, 3);
  t.equal(keepNucleus(ids, Float32Array.of(1, 1, 1, 1), 4, 4, 0.5), 2);
  t.strictSame([...ids.subarray(0, 2)], [0, 1]);
});
