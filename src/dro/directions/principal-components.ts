import { PreambleError } from '../../errors.ts';
import { createCovariance } from './covariance.ts';
import { symmetricEigen } from './symmetric-eigen.ts';
import { axpy, dot, norm, scaled } from './vectors.ts';

export interface PrincipalComponents {
  /** `[width]` */
  mean: Float64Array;
  /** Unit vectors `[width]`, that of the largest variance first; of each, the entry of largest magnitude is positive. */
  rows: Float64Array[];
  /** `[components]`, shares of the whole variance. */
  explainedVariance: Float64Array;
}

/** Vectors beyond the wanted ones that the search starts from: those equal in variance are all found, and it takes fewer products. */
const SPARE = 2;
/** Of a residual |C y − θ y|, in the largest variance: what float32 states lose is ten thousand times more. */
const TOLERANCE = 1e-11;
/** A component with less than this share of the largest variance is rounding of float32 states. */
const LEAST_VARIANCE = 1e-10;

/**
 * The principal components of the rows of several matrices `[rows, width]` together.
 *
 * Block Lanczos with the Rayleigh-Ritz method: in the space that is spanned by products of the covariance with a few vectors, its eigenvectors
 * there come to be its own. The covariance is never made, so 2400 states of 4096 values take some hundred passes over them.
 */
export function principalComponents(
  matrices: readonly Float32Array[],
  width: number,
  components: number,
): PrincipalComponents {
  const covariance = createCovariance(matrices, width);
  const most = Math.min(width, covariance.rows - 1);
  /** An orthonormal basis of the space so far, and its products with the covariance; the products run after. */
  const basis: Float64Array[] = [];
  const products: Float64Array[] = [];
  // multiplied once, they lie in the space of the rows, which then has no room for more than `most`
  for (let index = 0; index < components + SPARE; index++) {
    extend(basis, covariance.times(startVector(width, index)), most);
  }

  for (;;) {
    const block = basis.slice(products.length);
    for (const vector of block) products.push(covariance.times(vector));
    const ritz = ritzPairs(basis, products, components);
    const complete = block.length === 0 || basis.length === most;
    if (complete || ritz.every(({ residual }) => residual <= TOLERANCE * (ritz[0]?.value ?? 0))) {
      const rows = ritz.map(({ vector }) => signed(vector));
      const values = Float64Array.from(ritz, ({ value }) => value);
      checkRank(values, components);
      return { mean: covariance.mean, rows, explainedVariance: values.map((value) => value / covariance.trace) };
    }
    for (const product of products.slice(-block.length)) extend(basis, product, most);
  }
}

interface RitzPair {
  value: number;
  vector: Float64Array;
  residual: number;
}

function ritzPairs(basis: readonly Float64Array[], products: readonly Float64Array[], count: number): RitzPair[] {
  const n = basis.length;
  const projected = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    const [vector, product] = [basis[Math.min(i, j)], products[Math.max(i, j)]];
    return vector === undefined || product === undefined ? 0 : dot(vector, product);
  });
  const { values, vectors } = symmetricEigen(projected, n);
  return vectors.slice(0, count).map((weights, index) => {
    const value = values[index] ?? 0;
    const vector = combine(basis, weights);
    const residual = combine(products, weights);
    axpy(-value, vector, residual);
    return { value, vector, residual: norm(residual) };
  });
}

function combine(vectors: readonly Float64Array[], weights: Float64Array): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const [index, vector] of vectors.entries()) axpy(weights[index] ?? 0, vector, sum);
  return sum;
}

/** Adds what of `vector` is orthogonal to the basis, if anything is. Twice, since once leaves as much as the basis is not orthogonal. */
function extend(basis: Float64Array[], vector: Float64Array, most: number): void {
  if (basis.length >= most) return;
  const rest = Float64Array.from(vector);
  const before = norm(rest);
  for (let pass = 0; pass < 2; pass++) for (const known of basis) axpy(-dot(known, rest), known, rest);
  const after = norm(rest);
  if (after > 1e-10 * before) basis.push(scaled(rest, 1 / after));
}

/** Any vectors do that do not lie across what is sought: fractions of multiples of an irrational number are without pattern. */
function startVector(width: number, index: number): Float64Array {
  const step = Math.sqrt(5) * (index + 1.5);
  return Float64Array.from({ length: width }, (_, at) => (((at + 1) ** 2 * step) % 1) - 0.5);
}

/** Both signs of a component are right; this one is the same on every machine. */
function signed(vector: Float64Array): Float64Array {
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return scaled(vector, (largest < 0 ? -1 : 1) / norm(vector));
}

function checkRank(values: Float64Array, components: number): void {
  const varying = values.filter((value) => value > LEAST_VARIANCE * (values[0] ?? 0)).length;
  if (varying >= components) return;
  throw new PreambleError(
    'anchors_invalid',
    `The anchors' states vary in ${varying} dimensions only, ${components} are needed.`,
    { action: 'Use more and more varied queries, and check that their states were not taken from one query.' },
  );
}
