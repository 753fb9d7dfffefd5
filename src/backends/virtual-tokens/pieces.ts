import { fold } from './spelling.ts';

/** Characters: longer than any spelling, 80. */
const END_LENGTH = 128;

interface Stem {
  readonly marks: string;
  readonly stem: string;
}

/**
 * Whether texts of a request, put one behind the other by a template, could spell a stem that none of them holds: one ends with the
 * beginning of it, another begins with the end, and what lies between is texts as a whole. In any order, since templates choose theirs.
 */
export function piecesSpell(texts: readonly string[], stems: readonly Stem[]): boolean {
  const ends = texts.map(endsOf);
  return stems.some(({ marks, stem }) => {
    const beginning = marks + stem;
    const reached = new Set(reach(ends, beginning));
    const short = ends.filter((text) => text.length > 0 && text.length < beginning.length);
    for (const at of reached) {
      if (ends.some((text) => text.startsWith(beginning.slice(at)))) return true;
      for (const text of short) {
        if (at + text.length < beginning.length && beginning.startsWith(text, at)) reached.add(at + text.length);
      }
    }
    return false;
  });
}

/** Without what stands between head and tail of a long text, and without the blanks around it, which templates trim. */
function endsOf(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length <= 2 * END_LENGTH) return fold(trimmed);
  return `${fold(trimmed.slice(0, END_LENGTH))} ${fold(trimmed.slice(-END_LENGTH))}`;
}

/** How much of what spellings begin with the texts end with. */
function* reach(texts: readonly string[], beginning: string): Generator<number> {
  for (let length = 1; length < beginning.length; length++) {
    if (texts.some((text) => text.endsWith(beginning.slice(0, length)))) yield length;
  }
}
