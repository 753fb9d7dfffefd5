import { wilsonInterval } from '../statistics/wilson-interval.ts';

export interface Proportion {
  /** Of `n`; null where n is 0. */
  readonly rate: number | null;
  /** 95%. */
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** A share with its Wilson score interval, which holds for rare events and few of them too. */
export function wilson(count: number, n: number): Proportion {
  const rate = n === 0 ? null : count / n;
  const [low, high] = wilsonInterval(rate ?? 0, n);
  return { rate, low, high, n };
}
