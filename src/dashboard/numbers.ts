import { wilson } from '../logs/wilson.ts';

/** What stands where there is nothing to show. */
export const NOTHING = '–';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function countText(count: number): string {
  return whole.format(count);
}

/** Three digits, and none after the point from a hundred on. */
export function numberText(value: number | null): string {
  if (value === null) return NOTHING;
  return value >= 100 ? whole.format(value) : String(Number(value.toPrecision(3)));
}

const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** In a column that grows line by line, whatever comes next. */
export function millisecondsText(ms: number): string {
  return tenths.format(ms);
}

/** Numbers that stand below each other: all with the same digits after the point, as few as tell them apart. */
export function columnTexts(values: readonly (number | null)[]): string[] {
  const largest = Math.max(0, ...values.map((value) => value ?? 0));
  const digits = largest >= 1000 ? 0 : largest >= 10 ? 1 : 2;
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return values.map((value) => (value === null ? NOTHING : format.format(value)));
}

export function percentText(percent: number | null): string {
  return percent === null ? NOTHING : `${percent.toFixed(1)}%`;
}

export function shareText(count: number, n: number): string {
  return percentText(n === 0 ? null : (count / n) * 100);
}

/** `4.1 to 6.6%`, by Wilson; nothing where nothing was counted. */
export function intervalText(count: number, n: number): string {
  if (n === 0) return NOTHING;
  const { low, high } = wilson(count, n);
  return `${(low * 100).toFixed(1)} to ${(high * 100).toFixed(1)}%`;
}
