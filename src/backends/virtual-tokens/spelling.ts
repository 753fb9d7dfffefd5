import type { Spelling } from '../upstream/text-guard.ts';

const BEYOND_ASCII = /[^\0-\x7f]/;

/**
 * The spellings of virtual tokens in a client's text. What all tokens of a prompt have in common is looked for, `p3fa91c.` of
 * `<|p3fa91c.007|>`, so that it does not matter what a template writes around a text; in compatibility decomposition (NFKD, in whose
 * letters every normal form that spells an ASCII text spells it too) and without case, as templates and tokenizers may change both.
 */
export function virtualTokenSpelling(stems: readonly string[]): Spelling {
  const source = stems.map((stem) => stem.replaceAll('.', '\\.')).join('|');
  const found = new RegExp(source, 'g');
  const anyCase = new RegExp(source, 'i');
  return {
    what: 'a virtual token',
    // Most texts are ASCII, of which folding changes the case alone.
    holds: (text) => anyCase.test(BEYOND_ASCII.test(text) ? fold(text) : text),
    broken: (text) => breakUp(text, found),
  };
}

export function fold(text: string): string {
  // Upper case first: letters that have only one of the two cases (ſ, K) end as the letter that they stand for.
  return text.normalize('NFKD').toUpperCase().toLowerCase();
}

/**
 * A blank between the first two letters of each match, in the text as it came. A single character that stands for both stays whole: who
 * calls sees that it is still there.
 */
function breakUp(text: string, found: RegExp): string {
  const characters = [...text];
  const folded: string[] = [];
  /** Of each unit of the folded text the character that it comes from. */
  const origins: number[] = [];
  characters.forEach((character, index) => {
    const letters = fold(character);
    folded.push(letters);
    for (let unit = 0; unit < letters.length; unit++) origins.push(index);
  });
  const breaks = new Set([...folded.join('').matchAll(found)].map(({ index }) => origins[index + 1]));
  return characters.map((character, index) => (breaks.has(index) ? ` ${character}` : character)).join('');
}

/** What all spellings of one prompt's tokens begin with, without the marks in front: `p3fa91c.` and the first digits of rows. */
export function stemOf(texts: readonly string[]): { readonly marks: string; readonly stem: string } {
  const [first = '', ...others] = texts;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  const marks = /^[^\p{L}\p{N}]*/u.exec(first)?.[0] ?? '';
  // One token alone: its closing marks are none of it.
  return { marks, stem: fold(first.slice(marks.length, length)).replace(/[|>\])]+$/, '') };
}
