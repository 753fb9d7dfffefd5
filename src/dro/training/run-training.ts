import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { WeightPrecision } from '../../engine/decoder/weights.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/generation.ts';
import { PreambleError } from '../../errors.ts';
import type { Device } from '../../graph/session.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import type { ModelConfig } from '../../model/config.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import type { AnchorEvent } from '../anchors/anchor-event.ts';
import type { AnchorModel, CollectedAnchors } from '../anchors/collect-anchors.ts';
import type { SamplingPlan } from '../anchors/count-refusals.ts';
import { createEngineSource } from '../answers/engine-source.ts';
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
import { anchorsFor, referenceFor, withTrained } from './training-anchors.ts';
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
  const { config } = await openCheckpoint(model.directory);
  const endToken = endTokenOf(config, model.directory);
  const engine = await openEngine(options);
  const source = createEngineSource({ ...model, engine, name: `engine ${options.weights}` });
  try {
    const shape = expectedShape({ ...options, queries: options.train, endToken }, settings);
    onEvent({ kind: 'memory', ...checkMemory(config, shape, options.device) });
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

function endTokenOf({ eosTokenIds: [end] }: ModelConfig, directory: string): number {
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
