import t, { type Test } from 'tap';
import { crossValidate } from '../../../src/dro/directions/cross-validation.ts';
import { type Directions, projectStates } from '../../../src/dro/directions/directions.ts';
import { completeBasis } from '../../../src/dro/directions/orthonormal-basis.ts';
import { principalComponents } from '../../../src/dro/directions/principal-components.ts';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { lastStates } from '../support/anchor-states.ts';
import { DEFAULT_MODEL, type Recording, recording, relativeDistance, tinyNames } from '../support/recorded.ts';

const COMPONENTS = 4;

async function compare(
  t: Test,
  { directions, refusalFractions, folds, queries }: Recording,
  sets: readonly Float32Array[],
  tolerance: number,
) {
  const hiddenSize = directions.mean.length;
  const { mean, rows, explainedVariance } = principalComponents(sets, hiddenSize, COMPONENTS);
  const within = (actual: ArrayLike<number>, expected: ArrayLike<number>, what: string) => {
    const error = relativeDistance(actual, expected);
    t.ok(error < tolerance, `${what}: relative error ${error.toExponential(1)}`);
  };
  within(mean, directions.mean, 'mean');
  for (const [index, row] of rows.entries()) within(row, directions.components[index] ?? [], `component ${index + 1}`);
  const ratio = (values: ArrayLike<number>) => Array.from(values, (value) => value / (values[0] ?? 0));
  within(ratio(explainedVariance), ratio(directions.variances.slice(0, COMPONENTS)), 'variances');

  const projection: Pick<Directions, 'hiddenSize' | 'components' | 'mean' | 'basis'> = {
    hiddenSize,
    components: COMPONENTS,
    mean: Float32Array.from(mean),
    basis: completeBasis(rows, hiddenSize),
  };
  const coordinates = Float64Array.from(sets.flatMap((states) => [...projectStates(projection, states)]));
  const labels = {
    refusal: [...refusalFractions.none, ...refusalFractions.text],
    harmfulness: [...queries, ...queries].map(({ harmful }) => Number(harmful)),
  };
  for (const name of ['refusal', 'harmfulness'] as const) {
    const probe = crossValidate({
      coordinates,
      labels: Float64Array.from(labels[name]),
      folds: [...folds, ...folds],
      queries: queries.length,
    });
    const expected = directions[name];
    within([...probe.weights, probe.bias], [...expected.weights, expected.bias], `${name} probe`);
    t.equal(probe.accuracy, expected.accuracy, `${name}: accuracy`);
  }
}

for (const name of tinyNames) {
  t.test(`${name}: components and probes from the recorded states`, async (t) => {
    const recorded = await recording(name);
    const { none, text } = recorded.float64?.states ?? { none: [], text: [] };
    await compare(t, recorded, [Float32Array.from(none), Float32Array.from(text)], 1e-6);
  });
}

t.test(`${DEFAULT_MODEL}: components and probes from our own states`, async (t) => {
  const recorded = await recording(DEFAULT_MODEL);
  const checkpoint = await openCheckpoint((await obtainModel(defaultModelName)).directory);
  const { head, text, queries } = recorded;
  const none = await lastStates(checkpoint, { prefix: [], rows: queries.map((query) => query.unprompted) }, 'float32');
  const prompted = await lastStates(
    checkpoint,
    { prefix: [...head, ...text], rows: queries.map((query) => query.tail) },
    'float32',
  );
  await compare(t, recorded, [Float32Array.from(none), Float32Array.from(prompted)], 1e-4);
});
