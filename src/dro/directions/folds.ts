import { createHash } from 'node:crypto';

/**
 * The fold, 0 to `folds` − 1, of each query. Harmful and harmless ones are dealt out separately, so that each fold holds its share of both, in
 * the order of a hash of seed and index: the same seed gives the same folds anywhere.
 */
export function assignFolds(harmful: readonly boolean[], folds: number, seed: number): number[] {
  const key = harmful.map((_, index) => createHash('sha256').update(`${seed}:${index}`).digest('hex'));
  const order = harmful.map((_, index) => index).sort((a, b) => ((key[a] ?? '') < (key[b] ?? '') ? -1 : 1));
  const assigned = new Array<number>(harmful.length).fill(0);
  const dealt = { true: 0, false: 0 };
  for (const index of order) {
    const label = harmful[index] === true ? 'true' : 'false';
    assigned[index] = dealt[label]++ % folds;
  }
  return assigned;
}
