import t from 'tap';
import { type TermName, termNames } from '../../../src/dro/training/training-graph.ts';
import type { TrainingRow } from '../../../src/dro/training/training-row.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/model/checkpoint.ts';
import { fixtureDirectory } from '../../model/transformer/support/fixtures.ts';
import { lastStates } from '../support/anchor-states.ts';
import { type Recording, recording, relativeDistance, sampled, tinyNames } from '../support/recorded.ts';
import { farFromStart } from '../support/soft-prompts.ts';
import { noWeights, type OpenTrainingGraph, openTrainingGraph } from '../support/training-graphs.ts';

/** (L(x + h) − L(x − h)) / 2h is wrong by about h² and by rounding of L over h: some 1e-9 of the gradient here. */
const STEP = 1e-5;
const LARGEST_ERROR = 1e-6;
const QUERIES = 6;
/** Entries from one that is moved to the next: it divides no size, so every token and every column has its turn. */
const STRIDE = 5;

/** Of unlike lengths, so that there is padding; refusals of one to three tokens, and own answers with three likely next tokens each. */
async function rowsOf(checkpoint: Checkpoint, { head, text, queries }: Recording): Promise<TrainingRow[]> {
  const { hiddenSize } = checkpoint.config;
  const chosen = queries.slice(0, QUERIES);
  const prompted = { prefix: [...head, ...text], rows: chosen.map(({ tail }) => tail) };
  const states = Float32Array.from(await lastStates(checkpoint, prompted, 'float64'));
  return chosen.map(({ harmful, tail }, index) => {
    const answer = (queries[index + QUERIES]?.tail ?? []).slice(1, 2 + (index % 3));
    const likely = (id: number) => ({ ids: [id, id - 1, id - 2], probabilities: [0.625, 0.25, 0.125] });
    return {
      harmful,
      query: tail.slice(1),
      answer,
      targets: harmful ? null : answer.map(likely),
      reference: states.subarray(index * hiddenSize, (index + 1) * hiddenSize),
    };
  });
}

/** d term / d soft prompt of all terms at every `STRIDE`th entry, moved forth and back. */
async function differences(graph: OpenTrainingGraph, softPrompt: Float64Array): Promise<Record<TermName, number[]>> {
  const gradients: Record<TermName, number[]> = {
    refuse: [],
    keep: [],
    refusal: [],
    harmfulness: [],
    preservation: [],
  };
  for (const [index, value] of softPrompt.entries()) {
    if (index % STRIDE !== 0) continue;
    const { terms: forth } = await graph.at(softPrompt.with(index, value + STEP));
    const { terms: back } = await graph.at(softPrompt.with(index, value - STEP));
    for (const name of termNames) {
      gradients[name].push(((forth[name] ?? Number.NaN) - (back[name] ?? Number.NaN)) / (2 * STEP));
    }
  }
  return gradients;
}

for (const name of tinyNames) {
  t.test(`${name}: the gradient of each term against central differences in float64`, async (t) => {
    const recorded = await recording(name);
    const checkpoint = await openCheckpoint(fixtureDirectory(name));
    const rows = await rowsOf(checkpoint, recorded);
    // every tail begins with the same token of the template, which is as well part of the prefix
    const layout = { before: recorded.head, after: recorded.queries[0]?.tail.slice(0, 1) ?? [] };
    const softPrompt = farFromStart(checkpoint, recorded);
    const open = (weights: Partial<typeof noWeights>, dtype: 'float32' | 'float64') =>
      openTrainingGraph(checkpoint, recorded, { rows, layout, weights: { ...noWeights, ...weights }, dtype });

    const whole = await open({ refuse: 1, keep: 1, refusal: 1, harmfulness: 1, preservation: 1 }, 'float64');
    const numeric = await differences(whole, softPrompt);
    await whole.close();

    for (const term of termNames) {
      const double = await open({ [term]: 1 }, 'float64');
      const { gradient } = await double.at(softPrompt);
      await double.close();
      const error = relativeDistance(sampled(gradient, STRIDE), numeric[term]);
      t.ok(error < LARGEST_ERROR, `${term}: relative error ${error.toExponential(1)}`);

      // the kernels that training runs on are others: fused, and float32
      const single = await open({ [term]: 1 }, 'float32');
      const rounding = relativeDistance(sampled((await single.at(softPrompt)).gradient, STRIDE), numeric[term]);
      await single.close();
      t.ok(rounding < 1e-4, `${term}, in float32: relative error ${rounding.toExponential(1)}`);
    }
  });
}
