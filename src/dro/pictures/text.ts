import { element, type Markup } from '../../formats/markup.ts';
import { FONT_SIZE } from './picture.ts';

export interface TextStyle {
  anchor?: 'start' | 'middle' | 'end';
  fill?: string;
  size?: number;
  weight?: 400 | 600;
  /** Painted around the letters, so that they can be read over marks and lines. */
  halo?: string;
  /** Degrees around the text's own position. */
  rotate?: number;
}

/** One line of text, vertically centred on `y`. */
export function textAt(x: number, y: number, text: string, style: TextStyle = {}): Markup {
  const size = style.size ?? FONT_SIZE;
  return element(
    'text',
    {
      x,
      // Half the height of a capital: `dominant-baseline` is not known everywhere.
      y: y + size * 0.36,
      'text-anchor': style.anchor,
      fill: style.fill,
      'font-size': style.size,
      'font-weight': style.weight,
      transform: style.rotate === undefined ? undefined : `rotate(${style.rotate} ${x} ${y})`,
      ...(style.halo === undefined
        ? {}
        : { stroke: style.halo, 'stroke-width': 4, 'stroke-linejoin': 'round', 'paint-order': 'stroke' }),
    },
    text,
  );
}

/** Advance widths of Inter in ems, by kinds of letters; within a few percent for a label, and rather too wide. */
const WIDTHS: readonly [RegExp, number][] = [
  [/^[ijlI.,:;'|! ]$/, 0.3],
  [/^[frt()[\]\-/]$/, 0.4],
  [/^[mwMW%@—]$/, 0.9],
  [/^[A-Z0-9–]$/, 0.68],
  [/^[\p{Ll}]$/u, 0.59],
];
/** Han, kana, Hangul and emoji are as wide as they are high. */
const OTHER_WIDTH = 1;
/** Within a page the reader's own font is used, which may be wider than Inter; the widest common one, DejaVu Sans, is by an eighth. */
const OTHER_FONTS = 1.1;
/** Semi-bold letters are that much wider. */
const SEMI_BOLD = 1.05;

/** How wide a line of text is, in CSS pixels; an estimate, since no font is at hand. */
export function textWidth(text: string, { size = FONT_SIZE, weight = 400 }: TextStyle = {}): number {
  let ems = 0;
  for (const letter of text) ems += WIDTHS.find(([kind]) => kind.test(letter))?.[1] ?? OTHER_WIDTH;
  return ems * size * OTHER_FONTS * (weight === 600 ? SEMI_BOLD : 1);
}

/** The text, cut to the width with an ellipsis where it is longer. */
export function fitText(text: string, width: number, style: TextStyle = {}): string {
  if (textWidth(text, style) <= width) return text;
  const letters = [...text];
  while (letters.length > 0 && textWidth(`${letters.join('')}…`, style) > width) letters.pop();
  return `${letters.join('').trimEnd()}…`;
}
