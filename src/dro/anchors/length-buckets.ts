/** Rows that pass the model together, padded on the right to one length. */
export interface Batch {
  /** Of each row, padding included. */
  readonly tokens: number;
  /** Which rows; a short batch repeats its last one, so that all of a bucket have one shape. */
  readonly indices: readonly number[];
}

export interface BucketOptions {
  /** Lengths are rounded up to a multiple: wider buckets waste padding, narrower ones cost a graph each. */
  step: number;
  maxRows: number;
}

/** Batches by length, those of one shape one after the other: graphs have fixed shapes, and one is made for each. */
export function bucketByLength(lengths: readonly number[], { step, maxRows }: BucketOptions): Batch[] {
  const buckets = new Map<number, number[]>();
  lengths.forEach((length, index) => {
    const tokens = Math.ceil(length / step) * step;
    const bucket = buckets.get(tokens) ?? [];
    bucket.push(index);
    buckets.set(tokens, bucket);
  });
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  return sorted.flatMap(([tokens, indices]) => cut(indices, maxRows).map((rows) => ({ tokens, indices: rows })));
}

/** In pieces of equal size, as few as possible. */
function cut(indices: readonly number[], maxRows: number): number[][] {
  const pieces = Math.ceil(indices.length / maxRows);
  const rows = Math.ceil(indices.length / pieces);
  const last = indices.at(-1) ?? 0;
  return Array.from({ length: pieces }, (_, piece) =>
    Array.from({ length: rows }, (_, row) => indices[piece * rows + row] ?? last),
  );
}
