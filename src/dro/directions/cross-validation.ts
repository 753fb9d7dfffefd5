import { wilsonInterval } from '../../statistics/wilson-interval.ts';
import { type Probe, probeLogit } from './directions.ts';
import { fitLogistic } from './logistic.ts';

export interface LabelledRows {
  /** `[rows, components]` */
  coordinates: Float64Array;
  /** `[rows]`, 0 to 1. */
  labels: Float64Array;
  /** The fold of each row, 0 up. */
  folds: readonly number[];
  /** That the rows come from. */
  queries: number;
}

/** Fits on all folds but one, for each in turn; the probe has the mean of their weights and biases, its accuracy is theirs on what they did not see. */
export function crossValidate({ coordinates, labels, folds, queries }: LabelledRows): Probe {
  const components = coordinates.length / labels.length;
  const row = (index: number) => coordinates.subarray(index * components, (index + 1) * components);
  const count = Math.max(...folds) + 1;
  const weights = new Float64Array(components);
  let bias = 0;
  let right = 0;
  for (let fold = 0; fold < count; fold++) {
    const indices = [...labels.keys()];
    const training = indices.filter((index) => folds[index] !== fold);
    const fit = fitLogistic(
      training.map(row),
      training.map((index) => labels[index] ?? 0),
    );
    for (let component = 0; component < components; component++) {
      weights[component] = (weights[component] ?? 0) + (fit.weights[component] ?? 0) / count;
    }
    bias += fit.bias / count;
    const held = indices.filter((index) => folds[index] === fold);
    right += held.filter((index) => probeLogit(fit, row(index)) > 0 === (labels[index] ?? 0) >= 0.5).length;
  }
  const accuracy = right / labels.length;
  return { weights, bias, accuracy, accuracyInterval: wilsonInterval(accuracy, queries) };
}
