import type { ScaleContinuousNumeric } from 'd3-scale';
import { element, type Markup } from '../../formats/markup.ts';
import type { Box } from './picture.ts';
import { textAt } from './text.ts';
import type { Theme } from './theme.ts';

/** A scale whose range is in CSS pixels. */
export type NumberScale = ScaleContinuousNumeric<number, number>;

export interface AxisStyle {
  theme: Theme;
  /** About how many ticks. */
  ticks: number;
  label?: string;
  /** How a value is written. */
  format?: (value: number) => string;
  /** d3's own, where `format` is not given: a logarithmic scale then still leaves out what has no room. */
  specifier?: string;
  /** Without their numbers, for a panel beside one that has them. */
  bare?: boolean;
}

/** Room that the numbers of an axis and its label take, in CSS pixels. */
export const LEFT_AXIS = 58;
export const BOTTOM_AXIS = 44;

export function percent(value: number): string {
  return `${Math.round(value * 100)}%`;
}

export function bottomAxis(scale: NumberScale, box: Box, style: AxisStyle): Markup {
  const bottom = box.y + box.height;
  const marks = ticksOf(scale, style).map(({ at, text }) => [
    element('line', { x1: at, x2: at, y1: box.y, y2: bottom, stroke: style.theme.grid }),
    style.bare ? null : textAt(at, bottom + 13, text, { anchor: 'middle', fill: style.theme.muted }),
  ]);
  const label =
    style.label === undefined ? null : textAt(box.x + box.width / 2, bottom + 33, style.label, { anchor: 'middle' });
  return element('g', {}, ...marks, label);
}

export function leftAxis(scale: NumberScale, box: Box, style: AxisStyle): Markup {
  const right = box.x + box.width;
  const marks = ticksOf(scale, style).map(({ at, text }) => [
    element('line', { x1: box.x, x2: right, y1: at, y2: at, stroke: style.theme.grid }),
    style.bare ? null : textAt(box.x - 8, at, text, { anchor: 'end', fill: style.theme.muted }),
  ]);
  const label =
    style.label === undefined
      ? null
      : textAt(box.x - LEFT_AXIS + 10, box.y + box.height / 2, style.label, { anchor: 'middle', rotate: -90 });
  return element('g', {}, ...marks, label);
}

/** Ticks whose number d3 leaves out, between the powers of a logarithmic scale, get no line either. */
function ticksOf(scale: NumberScale, { ticks, format, specifier }: AxisStyle): { at: number; text: string }[] {
  const write = format ?? scale.tickFormat(ticks, specifier);
  return scale
    .ticks(ticks)
    .map((value) => ({ at: scale(value), text: write(value) }))
    .filter(({ text }) => text !== '');
}

/** Values whose difference is a smaller share of them are the same: no axis could write the ticks between them. */
const SAME = 1e-9;

/** From the least to the greatest of the values, with a margin; wide enough to be a domain even if all are the same. */
export function domainOf(values: readonly number[], margin = 0.06): [number, number] {
  if (values.length === 0) return [0, 1];
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  const span = greatest - least;
  const room =
    span > Math.max(Math.abs(greatest) * SAME, SAME ** 2) ? span * margin : Math.max(Math.abs(greatest) * margin, 1e-6);
  return [least - room, greatest + room];
}
