import t from 'tap';
import { probeLogit, projectStates } from '../../../src/dro/directions/directions.ts';
import { fitDirections } from '../../../src/dro/directions/fit-directions.ts';
import { randomValues } from '../../graph/support/gradients.ts';
import { plantedAnchors } from '../support/planted.ts';

/** The probe's weights as a vector `[hiddenSize]` of unit length. */
function direction(basis: Float32Array, weights: Float64Array, hiddenSize: number): number[] {
  const vector = Array.from({ length: hiddenSize }, (_, at) =>
    weights.reduce((sum, weight, component) => sum + weight * (basis[component * hiddenSize + at] ?? 0), 0),
  );
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

t.test('finds the directions that were planted, and that they are not one', async (t) => {
  const anchors = plantedAnchors({ queries: 100 });
  const { basis, hiddenSize, refusal, harmfulness, cosine, explainedVariance } = fitDirections(anchors, { seed: 1 });
  const [alongHarm = 0] = direction(basis, harmfulness.weights, hiddenSize);
  const [, alongRefusal = 0] = direction(basis, refusal.weights, hiddenSize);
  t.ok(alongHarm > 0.95, `harmfulness points along axis 0: ${alongHarm}`);
  t.ok(alongRefusal > 0.95, `refusal points along axis 1: ${alongRefusal}`);
  t.ok(Math.abs(cosine) < 0.3, `cosine ${cosine}`);
  t.equal(harmfulness.accuracy, 1, 'a plane separates the labels, and the weights stay finite');
  t.ok(refusal.accuracy > 0.95, `${refusal.accuracy}`);
  t.ok(explainedVariance.reduce((sum, share) => sum + share) > 0.99, 'four dimensions were given variance');
});

t.test('the interval of the accuracy counts queries, not their rows under each prompt', async (t) => {
  const { harmfulness } = fitDirections(plantedAnchors({ queries: 40, sets: 3 }), { seed: 1 });
  // Wilson's lower bound of 40 out of 40
  t.ok(Math.abs(harmfulness.accuracyInterval[0] - 40 / (40 + 1.959964 ** 2)) < 1e-6, `${harmfulness.accuracyInterval}`);
  t.equal(harmfulness.accuracyInterval[1], 1);
});

t.test('the same anchors and seed give the same bits; another seed other folds', async (t) => {
  const anchors = plantedAnchors();
  const once = fitDirections(anchors, { seed: 7 });
  t.same(fitDirections(anchors, { seed: 7 }), once);
  t.not(fitDirections(anchors, { seed: 8 }).refusal.bias, once.refusal.bias);
});

t.test('a query is held out under all prompts at once', async (t) => {
  // random labels, and dimensions enough to learn single queries by heart: rows of theirs in training would give them away
  const anchors = plantedAnchors({ queries: 24 });
  const labels = randomValues(24, 6, -1, 1);
  const sets = anchors.sets.map(() => ({
    states: Float32Array.from(anchors.sets[0]?.states ?? []),
    refusalFractions: Float32Array.from(labels, (value) => Number(value > 0)),
  }));
  const { refusal } = fitDirections({ ...anchors, sets }, { seed: 1, components: 11 });
  t.ok(refusal.accuracy < 0.7, `${refusal.accuracy}`);
});

t.test('coordinates and logits of single states', async (t) => {
  const anchors = plantedAnchors();
  const directions = fitDirections(anchors, { seed: 1 });
  const { components, hiddenSize, mean, basis, harmfulness } = directions;
  t.same(projectStates(directions, mean), new Float64Array(components), 'the mean is the origin');
  const state = mean.map((value, at) => value + 2 * (basis[hiddenSize + at] ?? 0));
  const coordinates = projectStates(directions, state);
  t.ok(Math.abs((coordinates[1] ?? 0) - 2) < 1e-5, 'two along the second component');
  const logit = probeLogit(harmfulness, coordinates);
  t.ok(Math.abs(logit - (harmfulness.bias + 2 * (harmfulness.weights[1] ?? 0))) < 1e-5);
  t.throws(() => projectStates(directions, new Float32Array(hiddenSize + 1)), RangeError);
});
