/**
 * Lengths to pad rows to, ascending, at most `count` of them, so that the padded tokens of all rows together are fewest. Few buckets are
 * wanted: a graph has fixed sizes, and each length costs a session with its own memory. Exact, by dynamic programming over the sorted lengths.
 */
export function chooseBuckets(lengths: readonly number[], count: number): number[] {
  const sorted = lengths.toSorted((left, right) => left - right);
  const distinct = [...new Set(sorted)];
  // rows up to and including distinct length i
  const upTo = distinct.map((length) => sorted.filter((other) => other <= length).length);
  let best = distinct.map((length, index) => ({ cost: length * (upTo[index] ?? 0), buckets: [length] }));
  for (let buckets = 2; buckets <= count; buckets++) {
    best = best.map((alone, last) =>
      best.slice(0, last).reduce((cheapest, { cost, buckets: before }, split) => {
        const length = distinct[last] ?? 0;
        const total = cost + length * ((upTo[last] ?? 0) - (upTo[split] ?? 0));
        return total < cheapest.cost ? { cost: total, buckets: [...before, length] } : cheapest;
      }, alone),
    );
  }
  return best.at(-1)?.buckets ?? [];
}

/** The smallest bucket that holds `length`. */
export function bucketFor(buckets: readonly number[], length: number): number {
  const bucket = buckets.find((size) => size >= length);
  if (bucket === undefined) throw new RangeError(`a row of ${length} tokens does not fit the longest bucket`);
  return bucket;
}
