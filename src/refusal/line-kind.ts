export type LineKind = 'text' | 'list' | 'quote' | 'table' | 'heading' | 'rule' | 'fence';

/** Characters of a line that tell its kind; `1000) ` and "```plaintext" fit. */
export const MAX_LINE_PREFIX = 16;

/** The Markdown kind of a line from its first {@link MAX_LINE_PREFIX} normalised characters after the indentation, and how many of them are the marker. */
export function lineKind(prefix: string): { kind: LineKind; marker: number } {
  const match = (expression: RegExp): number => expression.exec(prefix)?.[0].length ?? 0;
  if (/^(```|~~~)/.test(prefix)) return { kind: 'fence', marker: 3 };
  if (/^([-*_]\s*){3,}$/.test(prefix)) return { kind: 'rule', marker: prefix.length };
  if (prefix.startsWith('>')) return { kind: 'quote', marker: 1 };
  if (prefix.startsWith('|')) return { kind: 'table', marker: 1 };
  const heading = match(/^#{1,6} +/);
  if (heading > 0) return { kind: 'heading', marker: heading };
  const item = match(/^([-*+•‣◦▪●–] +|[*_]{0,3}(step )?\(?\d{1,3}[.):]+[*_]{0,3}( |$)|\(?[a-z]\) )/u);
  return item > 0 ? { kind: 'list', marker: item } : { kind: 'text', marker: 0 };
}

/** A fence around plain text, as small models put around a whole answer, is no code. */
export const isPlainFence = (prefix: string): boolean => /^(```|~~~)(te?xt|plaintext|markdown|md)?\s*$/.test(prefix);
