/** x of A x = b for a symmetric positive definite A `[n, n]`, by Cholesky's A = L Lᵀ. `b` has n entries. For a handful of unknowns. */
export function solvePositiveDefinite(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const lower = new Float64Array(n * n);
  const at = (matrix: Float64Array, row: number, column: number) => matrix[row * n + column] ?? 0;
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = at(a, row, column);
      for (let k = 0; k < column; k++) sum -= at(lower, row, k) * at(lower, column, k);
      if (row !== column) lower[row * n + column] = sum / at(lower, column, column);
      else if (sum > 0) lower[row * n + row] = Math.sqrt(sum);
      else throw new RangeError('the matrix is not positive definite');
    }
  }
  const x = Float64Array.from(b);
  for (let row = 0; row < n; row++) {
    for (let k = 0; k < row; k++) x[row] = (x[row] ?? 0) - at(lower, row, k) * (x[k] ?? 0);
    x[row] = (x[row] ?? 0) / at(lower, row, row);
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = row + 1; k < n; k++) x[row] = (x[row] ?? 0) - at(lower, k, row) * (x[k] ?? 0);
    x[row] = (x[row] ?? 0) / at(lower, row, row);
  }
  return x;
}
