import { solvePositiveDefinite } from './linear-solve.ts';
import { dot } from './vectors.ts';

export interface LogisticFit {
  weights: Float64Array;
  bias: number;
}

/**
 * Keeps the weights finite where a plane separates the labels, which it does on many models. The reference decays its weights by this much and
 * stops early, so that its probes hang on their random start; here the penalty is part of what is minimised, and the minimum is one.
 */
export const RIDGE = 0.01;
/** Of the gradient's largest entry, in a loss of about 1. */
const TOLERANCE = 1e-11;
/** It takes 5 to 10. */
const MAX_ITERATIONS = 100;

/**
 * Logistic regression with labels y from 0 to 1, the minimum of
 *
 *     f(w, b) = mean(softplus(l) − y l) + ridge / 2 · Σ σ_j² w_j²,    l = x · w + b
 *
 * σ_j being the standard deviation of the j-th coordinate: the penalty is the same whatever the scale of a model's states, and a component with
 * little variance is not held back. The bias is free, so it is finite only if the labels are not all 0 or all 1.
 *
 * Newton's method on u_j = σ_j w_j and b: gradient mean((p − y) v) + ridge u, Hessian mean(p (1 − p) v vᵀ) + ridge I, v = (x / σ, 1).
 */
export function fitLogistic(rows: readonly Float64Array[], labels: readonly number[], ridge = RIDGE): LogisticFit {
  const width = rows[0]?.length ?? 0;
  const scale = standardDeviations(rows, width);
  const scaled = rows.map((row) => {
    const values = new Float64Array(width + 1).fill(1);
    for (let index = 0; index < width; index++) values[index] = (row[index] ?? 0) / (scale[index] ?? 1);
    return values;
  });
  const point = minimise(scaled, labels, ridge);
  return { weights: scale.map((sigma, index) => (point[index] ?? 0) / sigma), bias: point[width] ?? 0 };
}

function minimise(rows: readonly Float64Array[], labels: readonly number[], ridge: number): Float64Array {
  let point = new Float64Array(rows[0]?.length ?? 1);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { value, gradient, hessian } = derivatives(rows, labels, point, ridge);
    if (gradient.every((entry) => Math.abs(entry) < TOLERANCE)) return point;
    const step = solvePositiveDefinite(hessian, gradient);
    // far from the minimum a whole step can overshoot; f is convex, so a part of it always descends
    let share = 1;
    let next = point;
    do {
      const part = share;
      next = point.map((entry, index) => entry - part * (step[index] ?? 0));
      share /= 2;
    } while (share > 1e-10 && lossAt(rows, labels, next, ridge) > value + 1e-15);
    point = next;
  }
  throw new RangeError(`the logistic regression did not converge in ${MAX_ITERATIONS} iterations`);
}

function derivatives(rows: readonly Float64Array[], labels: readonly number[], point: Float64Array, ridge: number) {
  const n = point.length;
  const gradient = new Float64Array(n);
  const hessian = new Float64Array(n * n);
  for (const [index, row] of rows.entries()) {
    const p = 1 / (1 + Math.exp(-dot(row, point)));
    const slope = (p - (labels[index] ?? 0)) / rows.length;
    const curvature = (p * (1 - p)) / rows.length;
    for (let i = 0; i < n; i++) {
      gradient[i] = (gradient[i] ?? 0) + slope * (row[i] ?? 0);
      for (let j = 0; j < n; j++) {
        hessian[i * n + j] = (hessian[i * n + j] ?? 0) + curvature * (row[i] ?? 0) * (row[j] ?? 0);
      }
    }
  }
  // not the bias, which is last
  for (let i = 0; i < n - 1; i++) {
    gradient[i] = (gradient[i] ?? 0) + ridge * (point[i] ?? 0);
    hessian[i * n + i] = (hessian[i * n + i] ?? 0) + ridge;
  }
  return { value: lossAt(rows, labels, point, ridge), gradient, hessian };
}

function lossAt(rows: readonly Float64Array[], labels: readonly number[], point: Float64Array, ridge: number): number {
  const sum = rows.reduce((total, row, index) => {
    const logit = dot(row, point);
    // log(1 + eˡ) without overflow
    const softplus = Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
    return total + softplus - (labels[index] ?? 0) * logit;
  }, 0);
  const weights = point.subarray(0, -1);
  return sum / rows.length + (ridge / 2) * dot(weights, weights);
}

/** Of each coordinate, divided by n; 1 where it does not vary. */
function standardDeviations(rows: readonly Float64Array[], width: number): Float64Array {
  return Float64Array.from({ length: width }, (_, index) => {
    const mean = rows.reduce((sum, row) => sum + (row[index] ?? 0), 0) / rows.length;
    const variance = rows.reduce((sum, row) => sum + ((row[index] ?? 0) - mean) ** 2, 0) / rows.length;
    return variance > 0 ? Math.sqrt(variance) : 1;
  });
}
