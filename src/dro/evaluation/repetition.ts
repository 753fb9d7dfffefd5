/** n of the n-grams whose repetition is counted, as in the reports of degenerate text (Holtzman et al. 2020, Welleck et al. 2020). */
const GRAM = 4;
/** Words of the longest phrase whose immediate repetition is looked for: a sentence of a stuck model. */
const MAX_PERIOD = 32;

/** An answer's words in lower case, without punctuation. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** 1 − distinct / all over the 4-grams of words; 0 for an answer that is too short to have two. */
export function repeatedShare(words: readonly string[]): number {
  const grams = words.length - GRAM + 1;
  if (grams < 2) return 0;
  const distinct = new Set(Array.from({ length: grams }, (_, at) => words.slice(at, at + GRAM).join(' ')));
  return 1 - distinct.size / grams;
}

/**
 * Words of the longest stretch that is one word or phrase over and over: "no no no" is 3, "to be to be" 4. A phrase counts once it has
 * stood there twice in full; 0 where none has.
 */
export function longestRun(words: readonly string[]): number {
  let longest = 0;
  for (let period = 1; period <= Math.min(MAX_PERIOD, words.length / 2); period++) {
    let matching = 0;
    for (let at = period; at < words.length; at++) {
      matching = words[at] === words[at - period] ? matching + 1 : 0;
      if (matching >= period) longest = Math.max(longest, matching + period);
    }
  }
  return longest;
}
