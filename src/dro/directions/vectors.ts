/** a · b */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** y ← y + factor x */
export function axpy(factor: number, x: Float64Array, y: Float64Array): void {
  for (let at = 0; at < y.length; at++) y[at] = (y[at] ?? 0) + factor * (x[at] ?? 0);
}

export function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

export function scaled(x: Float64Array, factor: number): Float64Array {
  return x.map((value) => value * factor);
}
