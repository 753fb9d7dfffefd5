import { wordsOf } from './repetition.ts';

/** chrF's character n-grams go up to this length, and it weighs recall twice as much as precision (Popović 2015). */
const MAX_ORDER = 6;
const BETA = 2;

/** F1 of the words that both texts have, each as often as both have it; 1 for two texts without words. */
export function wordF1(candidate: string, reference: string): number {
  const [ours, theirs] = [wordsOf(candidate), wordsOf(reference)];
  if (ours.length === 0 && theirs.length === 0) return 1;
  const common = sharedCount(countOf(ours), countOf(theirs));
  return (2 * common) / (ours.length + theirs.length);
}

/** chrF2 of the letters without white space, 0 to 1, as sacreBLEU computes it: orders that either text is too short for are left out. */
export function chrF(candidate: string, reference: string): number {
  const [ours, theirs] = [lettersOf(candidate), lettersOf(reference)];
  let [precision, recall, orders] = [0, 0, 0];
  for (let order = 1; order <= Math.min(MAX_ORDER, ours.length, theirs.length); order++) {
    const shared = sharedCount(countOf(gramsOf(ours, order)), countOf(gramsOf(theirs, order)));
    precision += shared / (ours.length - order + 1);
    recall += shared / (theirs.length - order + 1);
    orders++;
  }
  // F is a ratio: the mean over the orders cancels out
  if (orders === 0) return ours.length === theirs.length ? 1 : 0;
  const weighed = BETA ** 2 * precision + recall;
  return weighed === 0 ? 0 : ((1 + BETA ** 2) * precision * recall) / weighed / orders;
}

const lettersOf = (text: string): string[] => [...text.replace(/\s+/gu, '')];

function gramsOf(letters: readonly string[], order: number): string[] {
  return Array.from({ length: letters.length - order + 1 }, (_, at) => letters.slice(at, at + order).join(''));
}

function countOf(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

function sharedCount(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const [item, count] of left) shared += Math.min(count, right.get(item) ?? 0);
  return shared;
}
