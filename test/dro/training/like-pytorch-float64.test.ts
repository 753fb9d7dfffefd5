import t from 'tap';
import type { TargetDistribution, TrainingRow } from '../../../src/dro/training/training-row.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/model/checkpoint.ts';
import { fixtureDirectory, forward } from '../../model/transformer/support/fixtures.ts';
import { lastStates } from '../support/anchor-states.ts';
import { type Recording, recording, relativeDistance, tinyNames } from '../support/recorded.ts';
import { farFromStart, startOf } from '../support/soft-prompts.ts';
import { noWeights, openTrainingGraph } from '../support/training-graphs.ts';

/**
 * The graph computes in float64, what it is fed was float32 before: shares, reference states, directions and target probabilities, all of
 * which PyTorch had in float64. Here that gives some 1e-7.
 */
const LARGEST_ERROR = 3e-6;

interface Expected {
  loss: number;
  gradient: number[];
}

/** What the unprompted model says of each token of an answer, over the whole vocabulary. */
async function unprompted(
  checkpoint: Checkpoint,
  prompt: readonly number[],
  answer: readonly number[],
): Promise<TargetDistribution[]> {
  const logits = await forward(checkpoint, [[...prompt, ...answer]]);
  const { vocabSize } = checkpoint.config;
  const ids = Array.from({ length: vocabSize }, (_, id) => id);
  return answer.map((_, step) => {
    const from = (prompt.length - 1 + step) * vocabSize;
    const powers = Array.from(logits.subarray(from, from + vocabSize), Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    return { ids, probabilities: powers.map((power) => power / sum) };
  });
}

async function termsOf(checkpoint: Checkpoint, recorded: Recording) {
  const { head, text, queries, batches, vpt, kl, float64 } = recorded;
  if (float64 === undefined) throw new Error('nothing was recorded in float64');
  const { hiddenSize } = checkpoint.config;
  const batch = (batches[0] ?? []).flatMap((query) => queries[query] ?? []);
  const prompted = { prefix: [...head, ...text], rows: batch.map(({ tail }) => tail) };
  const states = Float32Array.from(await lastStates(checkpoint, prompted, 'float64'));
  const moves = batch.map(({ harmful, tail }, index): TrainingRow => {
    const reference = states.subarray(index * hiddenSize, (index + 1) * hiddenSize);
    return { harmful, query: tail, answer: [], targets: null, reference };
  });
  const answered = ({ query, answer }: Recording['vpt'][number], harmful: boolean): TrainingRow => {
    // one term over all rows, whatever their label
    return { harmful, query: queries[query]?.tail ?? [], answer, targets: null, reference: null };
  };
  const own = kl.map(async (row) => ({
    ...answered(row, false),
    targets: await unprompted(checkpoint, queries[row.query]?.unprompted ?? [], row.answer),
  }));
  const far = farFromStart(checkpoint, recorded);
  const start = startOf(checkpoint, text);
  return {
    refusal: { rows: moves, softPrompt: far, expected: float64.dro.far.refusal },
    harmfulness: { rows: moves, softPrompt: far, expected: float64.dro.far.harmfulness },
    preservation: { rows: moves, softPrompt: far, expected: float64.dro.far.unchanged },
    refuse: { rows: vpt.map((row) => answered(row, true)), softPrompt: start, expected: float64.vpt.tokenMean },
    keep: { rows: await Promise.all(own), softPrompt: start, expected: float64.kl.tokenMean },
  } satisfies Record<string, { rows: TrainingRow[]; softPrompt: ArrayLike<number>; expected: Expected }>;
}

/** Mean over all judged tokens: cross-entropy is the KL divergence plus this. */
function entropy(rows: readonly TrainingRow[]): number {
  const tokens = rows.flatMap(({ targets }) => targets ?? []);
  const sums = tokens.map(({ probabilities }) => -probabilities.reduce((sum, p) => sum + p * Math.log(p), 0));
  return sums.reduce((total, sum) => total + sum, 0) / sums.length;
}

for (const name of tinyNames) {
  t.test(`${name}: terms and gradients in float64 as PyTorch computed them in float64`, async (t) => {
    const recorded = await recording(name);
    const checkpoint = await openCheckpoint(fixtureDirectory(name));
    const { keep, ...others } = await termsOf(checkpoint, recorded);
    for (const [term, { rows, softPrompt, expected }] of Object.entries({ keep, ...others })) {
      const graph = await openTrainingGraph(checkpoint, recorded, {
        rows,
        layout: { before: recorded.head, after: [] },
        weights: { ...noWeights, [term]: 1 },
        dtype: 'float64',
      });
      const { terms, gradient } = await graph.at(softPrompt);
      await graph.close();
      const [value = Number.NaN] = Object.values(terms);
      const loss = term === 'keep' ? value - entropy(rows) : value;
      const [lossError, error] = [
        relativeDistance([loss], [expected.loss]),
        relativeDistance(gradient, expected.gradient),
      ];
      t.ok(lossError < LARGEST_ERROR, `${term}: loss, relative error ${lossError.toExponential(1)}`);
      t.ok(error < LARGEST_ERROR, `${term}: gradient, relative error ${error.toExponential(1)}`);
    }
  });
}
