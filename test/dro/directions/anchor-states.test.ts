import t from 'tap';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { fixtureDirectory } from '../../model/transformer/support/fixtures.ts';
import { lastStates } from '../support/anchor-states.ts';
import { DEFAULT_MODEL, recording, relativeDistance, sampled, tinyNames } from '../support/recorded.ts';

/** float64 differs by RoPE's angles, which both keep in float32. */
const TOLERANCES = { float32: 1e-5, float64: 1e-6 };

const cases = [
  ...tinyNames.flatMap((name) => [
    { name, dtype: 'float64' as const },
    { name, dtype: 'float32' as const },
  ]),
  { name: DEFAULT_MODEL, dtype: 'float32' as const },
];

for (const { name, dtype } of cases) {
  t.test(`${name}, ${dtype}: anchors' states are those of PyTorch`, async (t) => {
    const directory = name === DEFAULT_MODEL ? (await obtainModel(defaultModelName)).directory : fixtureDirectory(name);
    const checkpoint = await openCheckpoint(directory);
    const recorded = await recording(name);
    const expected = recorded[dtype];
    if (expected === undefined) throw new TypeError(`${name} is not recorded in ${dtype}`);
    const { head, text, queries } = recorded;
    const inputs = {
      none: { prefix: [], rows: queries.map((query) => query.unprompted) },
      text: { prefix: [...head, ...text], rows: queries.map((query) => query.tail) },
    };
    for (const set of ['none', 'text'] as const) {
      const states = await lastStates(checkpoint, inputs[set], dtype);
      t.equal(states.length, queries.length * checkpoint.config.hiddenSize);
      const error = relativeDistance(sampled(states, expected.stride), expected.states[set]);
      t.ok(error < TOLERANCES[dtype], `${set}: relative error ${error.toExponential(1)}`);
      const norms = queries.map((_, query) =>
        Math.hypot(...states.slice(query * checkpoint.config.hiddenSize, (query + 1) * checkpoint.config.hiddenSize)),
      );
      const normError = relativeDistance(norms, expected.states.norms[set === 'none' ? 0 : 1] ?? []);
      t.ok(normError < TOLERANCES[dtype], `${set}, their lengths: ${normError.toExponential(1)}`);
    }
  });
}
