import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { findNearDuplicates, type NearDuplicate } from '../../../src/dro/queries/near-duplicates.ts';
import { similarity } from '../../../src/dro/queries/similarity.ts';

t.test('each is told once, with the earlier one that is most like it', async (t) => {
  const signatures = ['abcd', 'wxyz', 'abce', 'abcd', 'wxyz'].map((letters) => new Set(letters));
  t.strictSame(
    findNearDuplicates(signatures, 0.5, () => true),
    [
      { first: 0, second: 2, similarity: 0.6 },
      { first: 0, second: 3, similarity: 1 },
      { first: 1, second: 4, similarity: 1 },
    ],
  );
  t.strictSame(
    findNearDuplicates(signatures, 0.5, (first) => first !== 0),
    [
      { first: 2, second: 3, similarity: 0.6 },
      { first: 1, second: 4, similarity: 1 },
    ],
  );
});

/** The same by comparing all pairs. */
function compareAll(signatures: Set<string>[], threshold: number, compared: (a: number, b: number) => boolean) {
  const found: NearDuplicate[] = [];
  for (const [second, signature] of signatures.entries()) {
    const candidates = signatures
      .slice(0, second)
      .map((earlier, first) => ({ first, second, similarity: similarity(earlier, signature) }))
      .filter(({ first }) => !found.some((pair) => pair.second === first) && compared(first, second))
      .filter((pair) => pair.similarity >= threshold)
      .sort((a, b) => b.similarity - a.similarity || a.first - b.first);
    found.push(...candidates.slice(0, 1));
  }
  return found;
}

t.test('no pair is missed that comparing all of them finds', async (t) => {
  const signature = fc
    .uniqueArray(fc.constantFrom(...'abcdefghij'), { maxLength: 8 })
    .map((letters) => new Set(letters));
  const threshold = fc.constantFrom(0.1, 0.4, 0.5, 2 / 3, 1);
  const compared = fc.constantFrom(
    () => true,
    (a: number, b: number) => (a + b) % 3 !== 0,
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(signature, { maxLength: 25 }), threshold, compared, (signatures, least, wanted) =>
        isDeepStrictEqual(findNearDuplicates(signatures, least, wanted), compareAll(signatures, least, wanted)),
      ),
      { numRuns: 500 },
    ),
  );
});
