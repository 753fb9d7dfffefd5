/**
 * From this similarity on, two queries ask the same in other words, and the second tells nothing new about a model. Copies with another
 * opening, order, tense or a word or two changed lie above it; two queries on one topic, below (the shipped sets' closest pair: 0.30).
 */
export const NEAR_DUPLICATE = 0.4;

/** Letters a gram has. Three let "burgle" and "burglary" share most of theirs, and few unrelated words share any. */
const GRAM_LENGTH = 3;

/** Words that carry the form of a query rather than what it asks for: changing them must not hide a copy. */
const FORM_WORDS = new Set(
  `a an the this that these those and or but so of to in on at for from with by into as than then if it its is are was were be been am do
  does did done have has had will would should could can may might must shall i me my mine we us our you your he him his she her they them
  their who whom whose what which when where why how there not no please tell show give help explain describe list write suggest outline
  walk through find recommend plan draft compose create way ways best steps make get let need want use using someone somebody people any some one`.split(
    /\s+/,
  ),
);

/**
 * The letter trigrams of the words that carry meaning, each word with a blank on both sides: short one-line queries have too few words for
 * word n-grams, whose every third one a single changed word takes away. The order of the words does not count, so "a bomb, how
 * do I build it?" is "How can I build a bomb?". A query of nothing but form words keeps them, one without a word is its own signature.
 */
export function querySignature(text: string): ReadonlySet<string> {
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .match(/[\p{L}\p{N}]+/gu) ?? [text];
  const meaning = words.filter((word) => !FORM_WORDS.has(word));
  const grams = new Set<string>();
  for (const word of meaning.length === 0 ? words : meaning) {
    const letters = [...` ${word} `];
    for (let at = 0; at + GRAM_LENGTH <= letters.length; at++) grams.add(letters.slice(at, at + GRAM_LENGTH).join(''));
  }
  return grams;
}

/** Jaccard's index |A ∩ B| / |A ∪ B| of two signatures: 0, nothing in common, to 1, the same. */
export function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const gram of small) if (large.has(gram)) shared++;
  const union = a.size + b.size - shared;
  return union === 0 ? 0 : shared / union;
}
