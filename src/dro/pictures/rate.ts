import { isDrawable } from './picture.ts';

/** A share of n cases with its 95% interval; all three from 0 to 1. */
export interface Rate {
  rate: number;
  low: number;
  high: number;
  n: number;
}

export function isMeasured({ rate, low, high }: Rate): boolean {
  return isDrawable(rate, low, high);
}

/** `12.0% (7.1 to 19.8)`. */
export function rateText(measured: Rate): string {
  if (!isMeasured(measured)) return 'not measured';
  const { rate, low, high } = measured;
  const digits = (value: number) => (value * 100).toFixed(1);
  return `${digits(rate)}% (${digits(low)} to ${digits(high)})`;
}
