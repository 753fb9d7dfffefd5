/** Tenths of milliseconds up to this many; what is longer counts as it. */
const LONGEST_MS = 20_000;
const PER_MS = 10;

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

/** Durations in milliseconds, in constant memory. */
export function createHistogram() {
  const counts = new Uint32Array(LONGEST_MS * PER_MS + 1);
  let count = 0;
  let max = 0;

  function quantile(share: number): number {
    let left = share * count;
    for (const [bucket, here] of counts.entries()) {
      left -= here;
      if (left <= 0 && here > 0) return (bucket + 0.5) / PER_MS;
    }
    return Number.NaN;
  }

  return {
    add(ms: number): void {
      count++;
      max = Math.max(max, ms);
      const bucket = Math.min(counts.length - 1, Math.floor(ms * PER_MS));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    },
    quantiles: (): Quantiles => ({ p50: quantile(0.5), p99: quantile(0.99), max, count }),
  };
}
