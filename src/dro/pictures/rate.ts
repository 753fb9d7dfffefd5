/** A share of n cases with its 95% interval; all three from 0 to 1. */
export interface Rate {
  rate: number;
  low: number;
  high: number;
  n: number;
}

/** `12.0% (7.1 to 19.8)`. */
export function rateText({ rate, low, high }: Rate): string {
  const digits = (value: number) => (value * 100).toFixed(1);
  return `${digits(rate)}% (${digits(low)} to ${digits(high)})`;
}
