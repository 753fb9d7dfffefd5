import t, { type Test } from 'tap';
import { adamWStep, clipNorm, initialAdamW } from '../../../src/dro/training/adamw.ts';
import { chooseBuckets } from '../../../src/dro/training/buckets.ts';
import { createGradients } from '../../../src/dro/training/gradients.ts';
import type { TermWeights } from '../../../src/dro/training/training-graph.ts';
import { fedTokens, type TrainingRow } from '../../../src/dro/training/training-row.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/model/checkpoint.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { fixtureDirectory } from '../../model/transformer/support/fixtures.ts';
import { lastStates } from '../support/anchor-states.ts';
import { DEFAULT_MODEL, type Recording, recording, relativeDistance, sampled, tinyNames } from '../support/recorded.ts';
import { farFromStart, startOf } from '../support/soft-prompts.ts';

/** What was asked for; float32 gives some 1e-5. */
const LARGEST_ERROR = 1e-3;
/** AdamW's first steps divide a gradient by its own size, so that rounding in a near-zero entry moves it by a whole step. */
const LARGEST_PROMPT_ERROR = 2e-3;

const none: TermWeights = { refuse: 0, keep: 0, refusal: 0, harmfulness: 0, preservation: 0 };
const reference: TermWeights = { ...none, refusal: 1, harmfulness: 0.01, preservation: 0.001 };

async function queryRows(checkpoint: Checkpoint, { head, text, queries }: Recording): Promise<TrainingRow[]> {
  const { hiddenSize } = checkpoint.config;
  const states = Float32Array.from(
    await lastStates(checkpoint, { prefix: [...head, ...text], rows: queries.map(({ tail }) => tail) }, 'float32'),
  );
  return queries.map(({ harmful, tail }, index) => ({
    harmful,
    query: tail,
    answer: [],
    targets: null,
    reference: states.subarray(index * hiddenSize, (index + 1) * hiddenSize),
  }));
}

function gradientsOf(
  checkpoint: Checkpoint,
  recorded: Recording,
  rows: readonly TrainingRow[],
  weights: TermWeights,
  /** Fewer than the rows: they must add up. */
  microBatch: number,
) {
  const { directions } = recorded;
  return createGradients(checkpoint, {
    layout: { before: recorded.head, after: [] },
    virtualTokens: recorded.text.length,
    weights,
    directions: {
      principal: Float32Array.from(directions.components.flat()),
      refusal: directions.refusal.weights,
      harmfulness: directions.harmfulness.weights,
    },
    microBatch,
    buckets: chooseBuckets(rows.map(fedTokens), 2),
    answerTokens: Math.max(1, ...rows.map(({ answer }) => answer.length)),
    firstTokenWeight: 1,
    alternatives: 1,
    threads: 1,
  });
}

function isClose(t: Test, actual: ArrayLike<number>, expected: ArrayLike<number>, what: string, most = LARGEST_ERROR) {
  const error = relativeDistance(actual, expected);
  t.ok(error < most, `${what}: relative error ${error.toExponential(1)}`);
}

const norm = (values: Float32Array) => Math.hypot(...values);

async function compareMoves(t: Test, checkpoint: Checkpoint, recorded: Recording) {
  const rows = await queryRows(checkpoint, recorded);
  const expected = recorded.float32.dro;
  const softPrompt = startOf(checkpoint, recorded.text);
  const state = initialAdamW(softPrompt.length);
  const gradients = gradientsOf(checkpoint, recorded, rows, reference, 5);
  for (const [index, step] of expected.steps.entries()) {
    const batch = (recorded.batches[index] ?? []).flatMap((query) => rows[query] ?? []);
    const { loss, terms, gradient } = await gradients.compute(softPrompt, batch);
    const what = `step ${index + 1}`;
    const expectedTerms = [step.refusal, step.harmfulness, step.unchanged];
    isClose(t, [terms.refusal ?? 0, terms.harmfulness ?? 0, terms.preservation ?? 0], expectedTerms, `${what}: terms`);
    isClose(t, [loss], [step.loss], `${what}: loss`);
    isClose(t, sampled(gradient, recorded.float32.stride), step.gradient, `${what}: gradient`);
    isClose(t, [clipNorm(gradient, 1)], [step.gradientNorm], `${what}: norm`);
    adamWStep(softPrompt, gradient, state, 1e-3, { weightDecay: 0.01 });
  }
  isClose(t, sampled(softPrompt, recorded.float32.stride), expected.softPrompt, 'soft prompt', LARGEST_PROMPT_ERROR);
  await gradients.close();
}

/** Each term by itself, away from the start, where their gradients differ from 0. */
async function compareFar(t: Test, checkpoint: Checkpoint, recorded: Recording) {
  const rows = await queryRows(checkpoint, recorded);
  const far = Float32Array.from(farFromStart(checkpoint, recorded));
  const batch = (recorded.batches[0] ?? []).flatMap((query) => rows[query] ?? []);
  const names = { refusal: 'refusal', harmfulness: 'harmfulness', unchanged: 'preservation' } as const;
  for (const name of ['refusal', 'harmfulness', 'unchanged'] as const) {
    const gradients = gradientsOf(checkpoint, recorded, rows, { ...none, [names[name]]: 1 }, 8);
    const { loss, gradient } = await gradients.compute(far, batch);
    const expected = recorded.float32.dro.far[name];
    isClose(t, [loss], [expected.loss], `${name}: loss`);
    isClose(t, sampled(gradient, recorded.float32.stride), expected.gradient, `${name}: gradient`);
    await gradients.close();
  }
}

async function compareAnswers(t: Test, checkpoint: Checkpoint, recorded: Recording) {
  const rows = recorded.vpt.map(({ query, answer }): TrainingRow => {
    const tail = recorded.queries[query]?.tail ?? [];
    // one term over all rows, whatever their label
    return { harmful: true, query: tail, answer, targets: null, reference: null };
  });
  const gradients = gradientsOf(checkpoint, recorded, rows, { ...none, refuse: 1 }, 3);
  const { loss, gradient } = await gradients.compute(startOf(checkpoint, recorded.text), rows);
  const expected = recorded.float32.vpt.tokenMean;
  isClose(t, [loss], [expected.loss], 'loss');
  isClose(t, sampled(gradient, recorded.float32.stride), expected.gradient, 'gradient');
  t.ok(norm(gradient) > 0);
  await gradients.close();
}

for (const name of [...tinyNames, DEFAULT_MODEL]) {
  t.test(name, async (t) => {
    const recorded = await recording(name);
    const directory = name === DEFAULT_MODEL ? (await obtainModel(defaultModelName)).directory : fixtureDirectory(name);
    const checkpoint = await openCheckpoint(directory);
    await t.test("three steps of DRO, AdamW's included", (t) => compareMoves(t, checkpoint, recorded));
    await t.test('each term of DRO by itself', (t) => compareFar(t, checkpoint, recorded));
    await t.test("vPT's cross-entropy", (t) => compareAnswers(t, checkpoint, recorded));
  });
}
