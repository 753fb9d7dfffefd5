/** 97.5% of a normal distribution lie below; so the interval is one of 95%. */
const Z = 1.959963984540054;

export interface Proportion {
  /** Of `n`; null where n is 0. */
  readonly rate: number | null;
  /** 95%. */
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** A share with Wilson's score interval (1927), which holds for rare events and few of them too: p̃ ± z √(p(1-p)/n + z²/4n²) / (1 + z²/n). */
export function wilson(count: number, n: number): Proportion {
  if (n === 0) return { rate: null, low: 0, high: 1, n };
  const rate = count / n;
  const scale = 1 + Z ** 2 / n;
  const middle = (rate + Z ** 2 / (2 * n)) / scale;
  const half = (Z / scale) * Math.sqrt((rate * (1 - rate)) / n + Z ** 2 / (4 * n ** 2));
  return { rate, low: Math.max(0, middle - half), high: Math.min(1, middle + half), n };
}
