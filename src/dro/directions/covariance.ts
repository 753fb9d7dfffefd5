/** C = Xᵀ X / (n − 1) of the centred rows X of several matrices, as an operator. */
export interface Covariance {
  rows: number;
  /** `[width]` */
  mean: Float64Array;
  /** The sum of all variances. */
  trace: number;
  /** C v; both `[width]`. */
  times(v: Float64Array): Float64Array;
}

/** Sums are float64: the mean of a model's states can be much longer than what they differ by. */
export function createCovariance(matrices: readonly Float32Array[], width: number): Covariance {
  const rows = matrices.reduce((sum, matrix) => sum + matrix.length / width, 0);
  const mean = new Float64Array(width);
  for (const matrix of matrices) {
    for (let start = 0; start < matrix.length; start += width) {
      for (let at = 0; at < width; at++) mean[at] = (mean[at] ?? 0) + (matrix[start + at] ?? 0);
    }
  }
  for (let at = 0; at < width; at++) mean[at] = (mean[at] ?? 0) / rows;
  let squares = 0;
  for (const matrix of matrices) {
    for (let start = 0; start < matrix.length; start += width) {
      for (let at = 0; at < width; at++) squares += ((matrix[start + at] ?? 0) - (mean[at] ?? 0)) ** 2;
    }
  }

  function times(v: Float64Array): Float64Array {
    const product = new Float64Array(width);
    for (const matrix of matrices) {
      for (let start = 0; start < matrix.length; start += width) {
        let along = 0;
        for (let at = 0; at < width; at++) along += ((matrix[start + at] ?? 0) - (mean[at] ?? 0)) * (v[at] ?? 0);
        along /= rows - 1;
        for (let at = 0; at < width; at++) {
          product[at] = (product[at] ?? 0) + along * ((matrix[start + at] ?? 0) - (mean[at] ?? 0));
        }
      }
    }
    return product;
  }

  return { rows, mean, trace: squares / (rows - 1), times };
}
