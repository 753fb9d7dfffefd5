import { element, type Markup } from '../../formats/markup.ts';
import { LINE_HEIGHT } from './picture.ts';
import { textAt, textWidth } from './text.ts';

export interface LegendEntry {
  label: string;
  /** Draws the sign around the middle of a space of SIGN_WIDTH. */
  sign: (x: number, y: number) => Markup;
}

export const SIGN_WIDTH = 26;
const GAP = 20;
const ROW_HEIGHT = LINE_HEIGHT + 3;

export interface Legend {
  markup: Markup;
  height: number;
}

/** Entries from left to right, in as many rows as they need. */
export function legend(entries: readonly LegendEntry[], left: number, top: number, width: number): Legend {
  let [x, row] = [left, 0];
  const drawn = entries.map(({ label, sign }) => {
    const taken = SIGN_WIDTH + 6 + textWidth(label);
    if (x > left && x + taken > left + width) [x, row] = [left, row + 1];
    const y = top + row * ROW_HEIGHT + ROW_HEIGHT / 2;
    const entry = element('g', {}, sign(x + SIGN_WIDTH / 2, y), textAt(x + SIGN_WIDTH + 6, y, label));
    x += taken + GAP;
    return entry;
  });
  return { markup: element('g', {}, ...drawn), height: (row + 1) * ROW_HEIGHT };
}

/** A piece of line as a legend's sign. */
export function lineSign(colour: string, dash: string | undefined, width = 2): LegendEntry['sign'] {
  return (x, y) =>
    element('line', {
      x1: x - SIGN_WIDTH / 2,
      x2: x + SIGN_WIDTH / 2,
      y1: y,
      y2: y,
      stroke: colour,
      'stroke-width': width,
      'stroke-dasharray': dash,
    });
}
