/** How far from the truth a quantile may be, as a share of it. */
export const RELATIVE_ERROR = 0.01;
/** Of milliseconds: the clock's grain is a thousandth, and no answer takes a year. So there are some 1,600 buckets at most. */
const SMALLEST = 1e-3;
const LARGEST = 3.2e10;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);

export interface Quantiles {
  add(milliseconds: number): void;
  count(): number;
  /** The value that a share of `q` (0 to 1) lies at or below, within {@link RELATIVE_ERROR}; null where there is none. */
  at(q: number): number | null;
}

/**
 * Quantiles of any number of values in constant memory: counts in buckets whose bounds grow by the same factor, as DDSketch has them ("DDSketch:
 * A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", arXiv 1908.10693, section 2.1).
 */
export function createQuantiles(): Quantiles {
  const counts = new Map<number, number>();
  let total = 0;
  return {
    add(milliseconds) {
      const bounded = Math.min(LARGEST, Math.max(SMALLEST, milliseconds));
      // Values x with γ^(i-1) < x ≤ γ^i are in bucket i.
      const bucket = Math.ceil(Math.log(bounded) / Math.log(GAMMA));
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      total++;
    },
    count: () => total,
    at(q) {
      const rank = q * (total - 1);
      let passed = 0;
      for (const [bucket, count] of [...counts].sort(([a], [b]) => a - b)) {
        passed += count;
        if (passed > rank) return (2 * GAMMA ** bucket) / (GAMMA + 1);
      }
      return null;
    },
  };
}
