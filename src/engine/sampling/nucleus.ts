/** Exponent and six bits of the mantissa of a float32 in 0..1: buckets about 1% wide, in the order of the values they hold. */
const BUCKET_SHIFT = 17;
const BUCKETS = 1 << 13;
const bucketMass = new Float64Array(BUCKETS);

/**
 * top_p: keeps the likeliest tokens until their probability reaches `topP` (a token stays if the mass before it, in falling order, is
 * under topP; Holtzman et al., arXiv 1904.09751, as transformers and vLLM cut it); ties by lower id; always at least one. Compacts `ids`
 * and `weights` (unnormalised, >= 0, summing to `total`) in place, in their order, and returns how many are left.
 * Instead of a sort: a histogram over the bits of the floats finds the bucket in which the cut falls, and only that one is sorted.
 */
export function keepNucleus(
  ids: Int32Array,
  weights: Float32Array,
  count: number,
  total: number,
  topP: number,
): number {
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  const target = total * topP;
  const border = borderBucket(bits, weights, count, target);
  const lowest = lowestKept(bits, weights, count, border, target);
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] ?? 0;
    if (weight < lowest.weight || (weight === lowest.weight && i > lowest.index)) continue;
    ids[kept] = ids[i] ?? 0;
    weights[kept] = weight;
    kept++;
  }
  return kept;
}

interface Border {
  bucket: number;
  /** Mass of all buckets above. */
  massAbove: number;
}

function borderBucket(bits: Uint32Array, weights: Float32Array, count: number, target: number): Border {
  bucketMass.fill(0);
  let highest = 0;
  for (let i = 0; i < count; i++) {
    const bucket = (bits[i] ?? 0) >>> BUCKET_SHIFT;
    if (bucket > highest) highest = bucket;
    bucketMass[bucket] = (bucketMass[bucket] ?? 0) + (weights[i] ?? 0);
  }
  let massAbove = 0;
  for (let bucket = highest; bucket > 0; bucket--) {
    const mass = bucketMass[bucket] ?? 0;
    if (massAbove + mass >= target && mass > 0) return { bucket, massAbove };
    massAbove += mass;
  }
  return { bucket: 0, massAbove };
}

/** The last token that stays, in falling order: its weight and, among equal weights, its place. */
function lowestKept(
  bits: Uint32Array,
  weights: Float32Array,
  count: number,
  border: Border,
  target: number,
): { weight: number; index: number } {
  const places: number[] = [];
  for (let i = 0; i < count; i++) if ((bits[i] ?? 0) >>> BUCKET_SHIFT === border.bucket) places.push(i);
  places.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
  let mass = border.massAbove;
  let last = { weight: Infinity, index: 0 };
  for (const index of places) {
    if (mass >= target && last.weight !== Infinity) break;
    const weight = weights[index] ?? 0;
    last = { weight, index };
    mass += weight;
  }
  return last;
}
