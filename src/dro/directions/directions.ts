/** A linear probe on the coordinates z of a state: logit = w · z + b, its sigmoid the probability of refusing, or of being harmful. */
export interface Probe {
  /** `[components]` */
  readonly weights: Float64Array;
  readonly bias: number;
  /** Share of held-out rows on the right side of one half. */
  readonly accuracy: number;
  /** 95%. The rows of one query are not independent, so it counts queries. */
  readonly accuracyInterval: readonly [low: number, high: number];
}

/** Where a model keeps refusal and harmfulness in the states of its last input token; section 3.1 of arXiv 2401.18018. */
export interface Directions {
  readonly hiddenSize: number;
  readonly components: number;
  /** `[hiddenSize]`, of all anchor states. */
  readonly mean: Float32Array;
  /** `[hiddenSize, hiddenSize]` row-major, rows orthonormal: first the principal components, then a basis of the remaining dimensions. */
  readonly basis: Float32Array;
  /** `[components]`, the share of the states' variance along each. */
  readonly explainedVariance: Float64Array;
  readonly refusal: Probe;
  readonly harmfulness: Probe;
  /** Of the angle between the weights of the two probes. */
  readonly cosine: number;
}

/** Coordinates `[rows, components]` of states `[rows, hiddenSize]`: z = C (x − mean), C the principal components. */
export function projectStates(
  { hiddenSize, components, mean, basis }: Pick<Directions, 'hiddenSize' | 'components' | 'mean' | 'basis'>,
  states: Float32Array,
): Float64Array {
  const rows = states.length / hiddenSize;
  if (!Number.isInteger(rows)) throw new RangeError(`${states.length} values are no rows of ${hiddenSize}`);
  const coordinates = new Float64Array(rows * components);
  for (let row = 0; row < rows; row++) {
    for (let component = 0; component < components; component++) {
      let sum = 0;
      for (let index = 0; index < hiddenSize; index++) {
        const moved = (states[row * hiddenSize + index] ?? 0) - (mean[index] ?? 0);
        sum += moved * (basis[component * hiddenSize + index] ?? 0);
      }
      coordinates[row * components + component] = sum;
    }
  }
  return coordinates;
}

/** w · z + b for the coordinates z `[components]` of one row. */
export function probeLogit({ weights, bias }: Pick<Probe, 'weights' | 'bias'>, coordinates: Float64Array): number {
  return weights.reduce((sum, weight, index) => sum + weight * (coordinates[index] ?? 0), bias);
}
