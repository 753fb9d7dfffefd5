import { isDrawable } from './picture.ts';

/** A linear probe on the first principal components: positive where weights · z + bias > 0. */
export interface ProbeLine {
  weights: ArrayLike<number>;
  bias: number;
}

/** What the pictures need of the directions that were found. */
export interface PictureDirections {
  hiddenSize: number;
  /** [hiddenSize]: what was taken off the states. */
  mean: ArrayLike<number>;
  /** [hiddenSize, hiddenSize], row-major; its rows are orthonormal and begin with the principal components. */
  basis: ArrayLike<number>;
  refusal: ProbeLine;
  harmfulness: ProbeLine;
}

/** z = (state - mean) · basisᵀ, its first `dimensions` only; one row a state of `states`, [queries, hiddenSize] row-major. */
export function projectStates(
  { hiddenSize, mean, basis }: PictureDirections,
  states: ArrayLike<number>,
  dimensions: number,
): number[][] {
  const queries = Math.floor(states.length / hiddenSize);
  return Array.from({ length: queries }, (_, query) =>
    Array.from({ length: dimensions }, (_, dimension) => {
      let sum = 0;
      for (let i = 0; i < hiddenSize; i++) {
        const centred = (states[query * hiddenSize + i] ?? 0) - (mean[i] ?? 0);
        sum += centred * (basis[dimension * hiddenSize + i] ?? 0);
      }
      return sum;
    }),
  );
}

/** a·x + b·y + c = 0; positive on the side where the probe says yes. (a, b) is a unit vector, or zero: then there is no line. */
export interface Line {
  a: number;
  b: number;
  c: number;
}

/** Where the probe's hyperplane meets the plane of the first two components that runs through `centre` in all others. */
export function probeLine({ weights, bias }: ProbeLine, centre: readonly number[]): Line {
  let c = bias;
  for (let i = 2; i < weights.length; i++) c += (weights[i] ?? 0) * (centre[i] ?? 0);
  const [a, b] = [weights[0] ?? 0, weights[1] ?? 0];
  const length = Math.hypot(a, b);
  return length === 0 ? { a, b, c } : { a: a / length, b: b / length, c: c / length };
}

export interface Extent {
  x: readonly [number, number];
  y: readonly [number, number];
}

/** The piece of a line that lies within a rectangle; null where it passes by. */
export function clipLine(
  { a, b, c }: Line,
  { x, y }: Extent,
): [{ x: number; y: number }, { x: number; y: number }] | null {
  // p + t·d with p the line's point nearest to the middle, d along it: Liang and Barsky's clipping.
  const norm = a * a + b * b;
  if (norm === 0 || !isDrawable(a, b, c)) return null;
  const [mx, my] = [(x[0] + x[1]) / 2, (y[0] + y[1]) / 2];
  const off = (a * mx + b * my + c) / norm;
  const [px, py, dx, dy] = [mx - a * off, my - b * off, -b, a];
  let [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const [p, d, range] of [
    [px, dx, x],
    [py, dy, y],
  ] as const) {
    if (d === 0) {
      if (p < range[0] || p > range[1]) return null;
      continue;
    }
    const [t1, t2] = [(range[0] - p) / d, (range[1] - p) / d];
    from = Math.max(from, Math.min(t1, t2));
    to = Math.min(to, Math.max(t1, t2));
  }
  if (from >= to) return null;
  return [
    { x: px + from * dx, y: py + from * dy },
    { x: px + to * dx, y: py + to * dy },
  ];
}

/** The share of the states' variance that lies along each of their first coordinates. */
export function explainedVariance(
  { hiddenSize }: PictureDirections,
  states: readonly ArrayLike<number>[],
  projected: readonly (readonly number[])[],
): number[] {
  const total = variances(hiddenSize, (visit) => {
    for (const rows of states) {
      for (let start = 0; start + hiddenSize <= rows.length; start += hiddenSize) visit((i) => rows[start + i] ?? 0);
    }
  }).reduce((sum, value) => sum + value, 0);
  const along = variances(projected[0]?.length ?? 0, (visit) => {
    for (const row of projected) visit((i) => row[i] ?? 0);
  });
  return along.map((variance) => (total > 0 ? variance / total : Number.NaN));
}

/** Of each column, by Welford's running mean: sums of squares of large states would lose what they differ by. */
function variances(columns: number, eachRow: (visit: (at: (column: number) => number) => void) => void): number[] {
  const means = new Float64Array(columns);
  const squares = new Float64Array(columns);
  let count = 0;
  eachRow((at) => {
    count++;
    for (let i = 0; i < columns; i++) {
      const delta = at(i) - (means[i] ?? 0);
      means[i] = (means[i] ?? 0) + delta / count;
      squares[i] = (squares[i] ?? 0) + delta * (at(i) - (means[i] ?? 0));
    }
  });
  return Array.from(squares, (sum) => sum / Math.max(count, 1));
}
