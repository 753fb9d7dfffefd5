/** How many of what was measured lie at or below each bound, and their sum. */
export interface Durations {
  observe(seconds: number): void;
  /** [bounds + 1]: how many lie between a bound and the one before; the last, above all of them. */
  readonly counts: Float64Array;
  sum(): number;
}

export function createDurations(bounds: readonly number[]): Durations {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    observe(seconds) {
      let at = 0;
      // A dozen bounds: looking at each in turn is no slower than halving.
      while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++;
      counts[at] = (counts[at] ?? 0) + 1;
      sum += seconds;
    },
    counts,
    sum: () => sum,
  };
}
