import { axpy, dot, norm } from './vectors.ts';

/**
 * Orthonormal rows `[k, width]` completed to `[width, width]`, row-major float32. The given rows stay as they are; the others span what is
 * orthogonal to them. They are made from the rows as float32 holds them, so that rows read from a file give the same basis again.
 *
 * Householder's QR of the rows as columns: reflections H_j = I − 2 v_j v_jᵀ with H_k … H_1 A = R. Then Q = H_1 … H_k has A's span in its first k
 * columns, and its other columns are the completion.
 */
export function completeBasis(rows: readonly Float64Array[], width: number): Float32Array {
  const reflections = householderVectors(
    rows.map((row) => Float32Array.from(row)),
    width,
  );
  const basis = new Float32Array(width * width);
  for (const [index, row] of rows.entries()) basis.set(row, index * width);
  const column = new Float64Array(width);
  for (let index = rows.length; index < width; index++) {
    column.fill(0);
    column[index] = 1;
    for (const v of reflections.toReversed()) reflect(v, column);
    basis.set(column, index * width);
  }
  return basis;
}

/** Unit vectors v_j, zero before their j-th entry. */
function householderVectors(rows: readonly Float32Array[], width: number): Float64Array[] {
  const columns = rows.map((row) => Float64Array.from(row));
  const vectors: Float64Array[] = [];
  for (const [j, column] of columns.entries()) {
    const v = new Float64Array(width);
    for (let index = j; index < width; index++) v[index] = column[index] ?? 0;
    // away from zero, so that nothing cancels
    v[j] = (v[j] ?? 0) + Math.sign(v[j] || 1) * norm(v);
    const length = norm(v);
    for (let index = j; index < width; index++) v[index] = (v[index] ?? 0) / length;
    for (const later of columns.slice(j)) reflect(v, later);
    vectors.push(v);
  }
  return vectors;
}

/** x ← x − 2 v (v · x) */
function reflect(v: Float64Array, x: Float64Array): void {
  axpy(-2 * dot(v, x), v, x);
}
