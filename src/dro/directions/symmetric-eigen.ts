export interface EigenPairs {
  /** Largest first. */
  values: Float64Array;
  /** Unit eigenvectors in the same order. */
  vectors: Float64Array[];
}

/** Off-diagonal entries below this share of the largest diagonal one are rounding. */
const TOLERANCE = 1e-15;
/** Convergence is quadratic: it takes 6 to 10 sweeps over all pairs. */
const MAX_SWEEPS = 50;

/**
 * Jacobi's method for a symmetric matrix `[n, n]` of some hundred rows: each rotation in the plane of (p, q) by the angle with
 * tan 2φ = 2 a_pq / (a_qq − a_pp) makes a_pq zero.
 */
export function symmetricEigen(matrix: Float64Array, n: number): EigenPairs {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < MAX_SWEEPS && largestOffDiagonal(a, n) > TOLERANCE * largestDiagonal(a, n); sweep++) {
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => (a[j * n + j] ?? 0) - (a[i * n + i] ?? 0));
  return {
    values: Float64Array.from(order, (i) => a[i * n + i] ?? 0),
    vectors: order.map((i) => v.slice(i * n, (i + 1) * n)),
  };
}

/** a ← Jᵀ a J, v ← Jᵀ v: rows of v are eigenvectors in the end. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const off = a[p * n + q] ?? 0;
  if (off === 0) return;
  const theta = ((a[q * n + q] ?? 0) - (a[p * n + p] ?? 0)) / (2 * off);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(tangent, 1);
  const s = tangent * c;
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, c, s);
  for (let k = 0; k < n; k++) {
    turn(a, p * n + k, q * n + k, c, s);
    turn(v, p * n + k, q * n + k, c, s);
  }
  a[p * n + q] = 0;
  a[q * n + p] = 0;
}

function turn(x: Float64Array, i: number, j: number, c: number, s: number): void {
  const [first, second] = [x[i] ?? 0, x[j] ?? 0];
  x[i] = c * first - s * second;
  x[j] = s * first + c * second;
}

function largestOffDiagonal(a: Float64Array, n: number): number {
  return a.reduce((most, value, at) => (at % (n + 1) === 0 ? most : Math.max(most, Math.abs(value))), 0);
}

function largestDiagonal(a: Float64Array, n: number): number {
  return a.reduce((most, value, at) => (at % (n + 1) === 0 ? Math.max(most, Math.abs(value)) : most), 0);
}
