/** `node ours.ts TASK`: steps of DRO as `preamble train` takes them, one for each line on stdin; prints a Step as JSON for each. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { adamWStep, clipNorm, initialAdamW } from '../../src/dro/training/adamw.ts';
import { createGradients } from '../../src/dro/training/gradients.ts';
import type { TrainingRow } from '../../src/dro/training/training-row.ts';
import { openCheckpoint } from '../../src/model/checkpoint.ts';
import type { TrainTask } from './task.ts';

const task: TrainTask = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
const softPrompt = Float32Array.from(task.softPrompt.flat());
const optimiser = initialAdamW(softPrompt.length);
const rows = task.queries.map(
  (query, index): TrainingRow => ({
    harmful: task.labels[index] === 1,
    query,
    answer: [],
    targets: null,
    reference: Float32Array.from(task.reference[index] ?? []),
  }),
);
const gradients = createGradients(await openCheckpoint(task.directory), {
  layout: task,
  virtualTokens: task.softPrompt.length,
  weights: { refuse: 0, keep: 0, ...task.weights },
  directions: {
    principal: Float32Array.from(task.principal.flat()),
    refusal: task.refusal,
    harmfulness: task.harmfulness,
  },
  microBatch: task.microBatch,
  buckets: [Math.max(...task.queries.map(({ length }) => length))],
  answerTokens: 1,
  firstTokenWeight: 1,
  alternatives: 1,
  threads: task.threads,
});

for await (const _ of createInterface(process.stdin)) {
  const since = performance.now();
  const { loss, gradient } = await gradients.compute(softPrompt, rows);
  const gradientNorm = clipNorm(gradient, task.clip);
  adamWStep(softPrompt, gradient, optimiser, task.learningRate, { weightDecay: task.weightDecay });
  const seconds = (performance.now() - since) / 1000;
  process.stdout.write(`${JSON.stringify({ seconds, loss, gradientNorm })}\n`);
}
