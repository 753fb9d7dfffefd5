import { type AnchorStates, checkAnchors, checkRefusals } from './check-anchors.ts';
import { crossValidate } from './cross-validation.ts';
import { type Directions, projectStates } from './directions.ts';
import { assignFolds } from './folds.ts';
import { completeBasis } from './orthonormal-basis.ts';
import { principalComponents } from './principal-components.ts';
import { dot, norm } from './vectors.ts';

export interface FitOptions {
  /** The reference's 4: further ones carry neither refusal nor harmfulness in the models of the paper. */
  components?: number;
  folds?: number;
  /** Of the folds' order. */
  seed: number;
}

const COMPONENTS = 4;
const FOLDS = 10;

/**
 * The directions of a model from its anchor states: PCA on the states under all prompts, then a probe for refusal (soft labels: the share of
 * sampled answers that refuse) and one for harmfulness, each the mean of `folds` fits on all but one fold.
 * Throws `anchors_invalid`, and `no_refusal_direction` where the model refuses too little or too much to show one.
 */
export function fitDirections(anchors: AnchorStates, options: FitOptions): Directions {
  const { components = COMPONENTS, folds: foldCount = FOLDS, seed } = options;
  const { hiddenSize, harmful, sets } = anchors;
  checkAnchors(anchors, components, foldCount);
  const folds = assignFolds(harmful, foldCount, seed);
  checkRefusals(anchors, folds);

  const states = sets.map((set) => set.states);
  const { mean, rows, explainedVariance } = principalComponents(states, hiddenSize, components);
  const basis = completeBasis(rows, hiddenSize);
  const projection = { hiddenSize, components, mean: Float32Array.from(mean), basis };
  const coordinates = Float64Array.from(states.flatMap((set) => [...projectStates(projection, set)]));

  // one row a set and query, a query's rows all in its fold
  const rowFolds = sets.flatMap(() => folds);
  const fit = (labels: Float64Array) =>
    crossValidate({ coordinates, labels, folds: rowFolds, queries: harmful.length });
  const refusal = fit(Float64Array.from(sets.flatMap((set) => [...set.refusalFractions])));
  const harmfulness = fit(Float64Array.from(sets.flatMap(() => harmful.map(Number))));
  return {
    ...projection,
    explainedVariance,
    refusal,
    harmfulness,
    cosine: cosine(refusal.weights, harmfulness.weights),
  };
}

/** a · b / (|a| |b|) */
function cosine(a: Float64Array, b: Float64Array): number {
  const lengths = norm(a) * norm(b);
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}
