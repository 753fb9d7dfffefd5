/** The last answers of the stable prompt that say what is usual: enough to follow the load of the day. */
const WINDOW = 512;
/** Before this many, nothing is unusual. */
const WARM_UP = 100;
/** Sorted anew after this many. */
const RENEW_EVERY = 32;

/** What is usual under the stable prompt, as each gateway sees it. */
export interface Usual {
  /** Whether a value lies outside; null while that is not known. What was added later plays no part, so whose answer it is has no influence on the bar. */
  isOutside(value: number): boolean | null;
  add(value: number): void;
}

/** Between the quantiles `low` and `high` (0 to 1) of the last values. */
export function createUsual(low: number, high: number): Usual {
  const values: number[] = [];
  let count = 0;
  let range: readonly [number, number] | null = null;
  return {
    isOutside: (value) => (range === null ? null : value < range[0] || value > range[1]),
    add(value) {
      values[count % WINDOW] = value;
      count++;
      if (count < WARM_UP || (count - WARM_UP) % RENEW_EVERY !== 0) return;
      const sorted = values.toSorted((a, b) => a - b);
      const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))] ?? 0;
      range = [low === 0 ? Number.NEGATIVE_INFINITY : at(low), at(high)];
    },
  };
}
