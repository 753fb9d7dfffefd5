import { wilsonInterval, Z_95 } from '../../statistics/wilson-interval.ts';
import type { Mean, Proportion } from './report.ts';

/** `count` of `n` with the Wilson score interval. */
export function proportion(count: number, n: number): Proportion {
  const rate = n === 0 ? 0 : count / n;
  return { count, n, rate, interval: wilsonInterval(rate, n) };
}

/** Mean ± z · s / √n, by the normal approximation: sets have 50 queries and more. One value has no spread to tell. */
export function meanOf(values: readonly number[]): Mean {
  const n = values.length;
  if (n === 0) return { n, mean: 0, interval: [0, 0] };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, interval: [mean, mean] };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const margin = Z_95 * Math.sqrt(variance / n);
  return { n, mean, interval: [mean - margin, mean + margin] };
}

/** exp of the mean of logarithms, and of its interval: for perplexities, which a single broken answer would dominate otherwise. */
export function geometricMeanOf(logarithms: readonly number[]): Mean {
  const { n, mean, interval } = meanOf(logarithms);
  return { n, mean: Math.exp(mean), interval: [Math.exp(interval[0]), Math.exp(interval[1])] };
}

/**
 * McNemar's exact test, two-sided: of the pairs that differ, `first` one way and `second` the other, each way is as likely under the null
 * hypothesis. p = min(1, 2 · P(X ≤ min)) with X binomial(first + second, ½).
 */
export function mcNemarExact(first: number, second: number): number {
  const n = first + second;
  const least = Math.min(first, second);
  let logTerm = -n * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= least; k++) {
    logTerm += Math.log((n - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/** How often two yes-or-no answers about the same things agreed: both yes, only the first, only the second, neither. */
export interface PairedCounts {
  both: number;
  onlyFirst: number;
  onlySecond: number;
  neither: number;
}

export function countPairs(pairs: Iterable<readonly [first: boolean, second: boolean]>): PairedCounts {
  const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
  for (const [first, second] of pairs) {
    if (first) counts[second ? 'both' : 'onlyFirst']++;
    else counts[second ? 'onlySecond' : 'neither']++;
  }
  return counts;
}

/** Share of the first less share of the second. */
export interface Difference {
  difference: number;
  interval: readonly [low: number, high: number];
}

/**
 * Newcombe's score interval for the difference of paired proportions ("Improved confidence intervals for the difference between binomial
 * proportions based on paired data", 1998, method 10): Wilson intervals of both, joined by the correlation φ of the pairs.
 */
export function pairedDifference(counts: PairedCounts): Difference {
  const { both, onlyFirst, onlySecond, neither } = counts;
  const n = both + onlyFirst + onlySecond + neither;
  if (n === 0) return { difference: 0, interval: [-1, 1] };
  const first = proportion(both + onlyFirst, n);
  const second = proportion(both + onlySecond, n);
  const phi = correlation(counts);
  const difference = (onlyFirst - onlySecond) / n;
  const reach = (a: number, b: number) => Math.sqrt(Math.max(0, a ** 2 - 2 * phi * a * b + b ** 2));
  const low = difference - reach(first.rate - first.interval[0], second.interval[1] - second.rate);
  const high = difference + reach(second.rate - second.interval[0], first.interval[1] - first.rate);
  return { difference, interval: [low, high] };
}

/** φ with the paper's continuity correction; 0 where one of the answers is always the same. */
function correlation({ both, onlyFirst, onlySecond, neither }: PairedCounts): number {
  const product = (both + onlyFirst) * (onlySecond + neither) * (both + onlySecond) * (onlyFirst + neither);
  if (product === 0) return 0;
  const half = (both + onlyFirst + onlySecond + neither) / 2;
  const raw = both * neither - onlyFirst * onlySecond;
  const corrected = raw > half ? raw - half : Math.min(0, raw);
  return corrected / Math.sqrt(product);
}

/** Cohen's κ = (observed − expected) / (1 − expected) agreement; null where chance alone makes both agree on everything. */
export function cohensKappa({ both, onlyFirst, onlySecond, neither }: PairedCounts): number | null {
  const n = both + onlyFirst + onlySecond + neither;
  if (n === 0) return null;
  const first = (both + onlyFirst) / n;
  const second = (both + onlySecond) / n;
  const expected = first * second + (1 - first) * (1 - second);
  if (expected === 1) return null;
  return ((both + neither) / n - expected) / (1 - expected);
}
