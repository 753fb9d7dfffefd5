import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { WeightPrecision } from '../../engine/decoder/weights.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/generation.ts';
import { PreambleError } from '../../errors.ts';
import type { Device } from '../../graph/session.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import { loadModelConfig } from '../../model/parse-config.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import type { AnchorEvent } from '../anchors/anchor-event.ts';
import { type AnchorModel, type CollectedAnchors, collectAnchors } from '../anchors/collect-anchors.ts';
import type { SamplingPlan } from '../anchors/count-refusals.ts';
import { layOutQueries } from '../anchors/query-layout.ts';
import { computeStates } from '../anchors/states.ts';
import type { AnswerSource } from '../answers/answer-source.ts';
import { encodeQuery } from '../answers/encode-query.ts';
import { createEngineSource } from '../answers/engine-source.ts';
import { noPrompt, type PromptUnderTest, softPrompt } from '../answers/prompt-under-test.ts';
import { textualPrompts } from '../answers/textual-prompts.ts';
import type { Directions } from '../directions/directions.ts';
import { fitDirections } from '../directions/fit-directions.ts';
import type { Query } from '../queries/query.ts';
import { chooseBuckets } from './buckets.ts';
import { checkMemory, type TrainingMemory } from './check-memory.ts';
import { createDevLook } from './dev-figures.ts';
import { expectedShape } from './expected-shape.ts';
import { startGradients } from './gradient-thread.ts';
import { evenMicroBatch } from './micro-batch.ts';
import type { OwnAnswer } from './own-answer.ts';
import { ownAnswers } from './own-answers.ts';
import { prepareRows, type TrainingData } from './prepare-rows.ts';
import type { RunDirectory } from './run-directory.ts';
import type { TrainingSettings } from './settings.ts';
import { type TrainingMetrics, train } from './train.ts';
import type { MoveDirections } from './training-graph.ts';
import { fedTokens } from './training-row.ts';
import { type BestPrompt, initialState } from './training-state.ts';

/** Answers that are written together, and so many that wait. */
const SLOTS = 16;

export type TrainingEvent =
  | { kind: 'own-answers'; done: number; total: number }
  | { kind: 'anchors'; event: AnchorEvent }
  | { kind: 'directions'; directions: Directions }
  | ({ kind: 'memory' } & TrainingMemory)
  | { kind: 'rows'; rows: number; leftOut: number; resumedAt: number }
  | TrainingMetrics;

export interface RunTrainingOptions {
  model: AnchorModel;
  train: readonly Query[];
  dev: readonly Query[];
  /** What the directions of refusal and harmfulness are found on; for DRO. */
  anchorQueries: readonly Query[];
  /** What training starts from: a text's embeddings, or another artifact. */
  start: SoftPrompt;
  position: PromptPosition;
  settings: TrainingSettings;
  run: RunDirectory;
  /** Where answers and states are kept that other runs can use too. */
  cacheDirectory: string;
  /** Sampled answers a query and prompt; for DRO. */
  plan: SamplingPlan;
  /** Whether the method's textual prompts are anchors too, beside no prompt and the start. */
  anchorTexts: boolean;
  /** What the engine computes answers with. */
  weights: WeightPrecision;
  /** What gradients are computed on; everything else is computed on the CPU. */
  device: Device;
  onEvent(event: TrainingEvent): void;
}

export interface TrainedPrompt {
  best: BestPrompt;
  metrics: readonly TrainingMetrics[];
  /** Under no prompt first, under the trained one last; null where DRO's terms were not used. */
  anchors: CollectedAnchors | null;
  directions: Directions | null;
}

/**
 * Trains a soft prompt: the model's own answers and the anchors as far as the objective needs them, then the steps. What was computed is
 * kept in the run's directory. Throws `no_refusal_direction`, `training_diverged`, `training_failed`, `memory_short`, and the
 * signal's reason.
 */
export async function runTraining(options: RunTrainingOptions, signal: AbortSignal): Promise<TrainedPrompt> {
  const { model, settings, run, start, onEvent } = options;
  const { weights } = settings;
  const endToken = await endTokenOf(model);
  const engine = await openEngine(options);
  const source = createEngineSource({ ...model, engine, name: `engine ${options.weights}` });
  try {
    const shape = expectedShape({ ...options, queries: options.train, endToken }, settings);
    onEvent({ kind: 'memory', ...checkMemory(await loadModelConfig(model.directory), shape, options.device) });
    const usesMoves = weights.refusal > 0 || weights.harmfulness > 0 || weights.preservation > 0;
    const anchors = usesMoves ? await anchorsFor(options, source, signal) : null;
    const directions = anchors === null ? null : directionsOf(anchors, settings.seed);
    if (directions !== null) onEvent({ kind: 'directions', directions });
    const own = weights.refuse > 0 || weights.keep > 0 ? await ownAnswersFor(options, engine, endToken, signal) : null;
    const data = prepareRows({
      ...options,
      queries: options.train,
      ownAnswers: own,
      reference: anchors === null ? null : await referenceFor(options, anchors, signal),
      endToken,
    });
    const state = (await run.load()) ?? initialState(start.values);
    onEvent({ kind: 'rows', rows: data.rows.length, leftOut: data.leftOut.length, resumedAt: state.step });

    const gradients = startGradients({
      directory: model.directory,
      options: gradientOptions(options, data, directions),
    });
    try {
      const look = createDevLook({ ...options, source, queries: options.dev, harmlessWeight: settings.harmlessWeight });
      const steps = train(
        state,
        {
          ...settings,
          rows: data.rows,
          compute: gradients.compute,
          evaluate: (values, until) => look(underTraining(start, state.step, values), until),
          save: (reached) => run.save(reached, start.hiddenSize),
        },
        signal,
      );
      for await (const metrics of steps) {
        await run.append(metrics);
        onEvent(metrics);
      }
    } finally {
      await gradients.close();
    }
    const { best } = state;
    if (best === null) throw neverCoherent();
    const metrics = await run.metrics(state.step);
    if (anchors === null) return { best, metrics, anchors, directions };
    return { best, metrics, anchors: await withTrained(anchors, best.softPrompt, options, source, signal), directions };
  } finally {
    await source.close();
  }
}

function openEngine({ model, weights, cacheDirectory }: RunTrainingOptions): Promise<Engine> {
  return createEngine(
    {
      directory: model.directory,
      cacheDirectory,
      weights,
      slots: SLOTS,
      queue: SLOTS,
      contextLength: null,
      threads: availableParallelism(),
    },
    () => model.tokenizer.createIncrementalDecoder(),
  );
}

function anchorsFor(options: RunTrainingOptions, source: AnswerSource, signal: AbortSignal): Promise<CollectedAnchors> {
  const texts = options.anchorTexts ? textualPrompts : [];
  return collect(options, [noPrompt, ...texts, softPrompt(options.start, options.position)], source, signal);
}

function collect(
  options: RunTrainingOptions,
  prompts: readonly PromptUnderTest[],
  source: AnswerSource,
  signal: AbortSignal,
): Promise<CollectedAnchors> {
  return collectAnchors(
    {
      ...options,
      prompts,
      queries: options.anchorQueries,
      // it outlives the anchors: the steps ask it for the dev split
      source: { name: source.name, start: async () => ({ ...source, close: async () => {} }) },
      cacheDirectory: join(options.cacheDirectory, 'anchors'),
      onEvent: (event) => options.onEvent({ kind: 'anchors', event }),
    },
    signal,
  );
}

/** `[queries, hiddenSize]`: the states of all that is trained on under the start, from which DRO measures how far they move. */
async function referenceFor(
  { model, train: queries, anchorQueries, start, position }: RunTrainingOptions,
  { sets }: CollectedAnchors,
  signal: AbortSignal,
): Promise<Float32Array | null> {
  // the last set is the start's
  if (queries === anchorQueries) return sets.at(-1)?.states ?? null;
  const under = softPrompt(start, position);
  const layout = layOutQueries(queries.map(({ text }) => encodeQuery(model, text, under)));
  return await computeStates(model.directory, layout, signal);
}

/** The same anchors, and last those under the trained prompt: one greedy answer a query, which says enough for the picture. */
async function withTrained(
  anchors: CollectedAnchors,
  values: Float32Array,
  options: RunTrainingOptions,
  source: AnswerSource,
  signal: AbortSignal,
): Promise<CollectedAnchors> {
  const trained = await collect(
    { ...options, plan: { ...options.plan, samples: 1, temperature: 0 } },
    [softPrompt(trainedPrompt(options.start, 'trained@0.0.0', values), options.position)],
    source,
    signal,
  );
  return {
    ...anchors,
    sets: [...anchors.sets, ...trained.sets],
    counts: [...anchors.counts, ...trained.counts],
  };
}

/** The start with trained rows in its place. */
export function trainedPrompt(start: SoftPrompt, label: string, values: Float32Array): SoftPrompt {
  const digest = createHash('sha256').update(values).digest('hex');
  return { ...start, label, digest, values };
}

function directionsOf({ hiddenSize, queries, sets }: CollectedAnchors, seed: number): Directions {
  return fitDirections({ hiddenSize, harmful: queries.map(({ label }) => label === 'harmful'), sets }, { seed });
}

async function ownAnswersFor(
  { model, train: queries, settings, cacheDirectory, weights, onEvent }: RunTrainingOptions,
  engine: Engine,
  endToken: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, OwnAnswer>> {
  const harmless = queries.flatMap(({ label, text }, index) => (label === 'harmless' ? [{ index, text }] : []));
  const answers = await ownAnswers(
    engine,
    model,
    harmless.map(({ text }) => text),
    {
      maxTokens: settings.answerTokens,
      alternatives: settings.alternatives,
      endToken,
      cacheDirectory: join(cacheDirectory, 'own-answers'),
      answeredBy: `${model.weightsSha256} ${weights}`,
      onProgress: (done) => onEvent({ kind: 'own-answers', done, total: harmless.length }),
    },
    signal,
  );
  return new Map(harmless.flatMap(({ index }, at) => (answers[at] === undefined ? [] : [[index, answers[at]]])));
}

async function endTokenOf({ directory }: AnchorModel): Promise<number> {
  const { config } = await openCheckpoint(directory);
  const [end] = config.eosTokenIds;
  if (end !== undefined) return end;
  throw new PreambleError('model_unsupported', `${directory} names no token that ends an answer.`, {
    action: 'Add eos_token_id to its generation_config.json.',
  });
}

function gradientOptions(
  { start, settings, device }: RunTrainingOptions,
  data: TrainingData,
  directions: Directions | null,
) {
  const { rows, layout } = data;
  return {
    device,
    layout,
    virtualTokens: start.tokens,
    weights: settings.weights,
    directions: directions === null ? null : toMoveDirections(directions),
    microBatch: evenMicroBatch(settings.batch, settings.microBatch),
    buckets: chooseBuckets(rows.map(fedTokens), settings.buckets),
    answerTokens: Math.max(1, ...rows.map(({ answer }) => answer.length)),
    firstTokenWeight: settings.firstTokenWeight,
    alternatives: settings.alternatives,
  };
}

function toMoveDirections({ basis, components, hiddenSize, refusal, harmfulness }: Directions): MoveDirections {
  return {
    principal: basis.slice(0, components * hiddenSize),
    refusal: refusal.weights,
    harmfulness: harmfulness.weights,
  };
}

/** A soft prompt between two steps; its digest only tells the engine's cache that it is another one. */
function underTraining(start: SoftPrompt, step: number, values: Float32Array): SoftPrompt {
  return { ...start, label: 'training@0.0.0', digest: `${start.digest} step ${step}`, values: values.slice() };
}

function neverCoherent(): PreambleError {
  return new PreambleError('training_failed', 'At no step was the text of the answers sound, so there is no prompt.', {
    action: 'Train with a smaller --learning-rate, or with a larger weight of keep and preservation.',
  });
}
