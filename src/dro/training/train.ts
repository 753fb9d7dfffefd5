import { PreambleError } from '../../errors.ts';
import { adamWStep, clipNorm } from './adamw.ts';
import { batchOrder } from './batch-order.ts';
import type { BatchGradient } from './gradients.ts';
import { learningRateAt, type ScheduleOptions } from './schedule.ts';
import type { TermName } from './training-graph.ts';
import type { TrainingRow } from './training-row.ts';
import type { TrainingState } from './training-state.ts';

/** How a soft prompt does on queries that it is not trained on. */
export interface DevFigures {
  /** Shares, 0 to 1. */
  readonly harmfulRefused: number;
  readonly harmlessRefused: number;
  /** Share of an answer's 4-grams that stood in it before, mean over answers to harmless queries. */
  readonly repetition: number;
  /** False where the text is broken: such a prompt is never the best, however much it refuses. */
  readonly coherent: boolean;
  /** What is compared between steps: larger is better. */
  readonly score: number;
}

export interface StepMetrics {
  readonly kind: 'step';
  readonly step: number;
  readonly loss: number;
  readonly terms: Readonly<Partial<Record<TermName, number>>>;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly seconds: number;
}

export interface DevMetrics extends DevFigures {
  readonly kind: 'dev';
  readonly step: number;
  readonly best: boolean;
}

export type TrainingMetrics = StepMetrics | DevMetrics;

export interface TrainingOptions extends ScheduleOptions {
  readonly rows: readonly TrainingRow[];
  /** Rows a step, half of each label. */
  readonly batch: number;
  readonly seed: number;
  /** Gradients are scaled to at most this norm. */
  readonly clip: number;
  readonly weightDecay: number;
  /** Steps between two looks at the dev split; one more is taken after the last step. */
  readonly evaluateEvery: number;
  /** Looks without a better one after which training ends; 0 never ends early. */
  readonly patience: number;
  compute(softPrompt: Float32Array, rows: readonly TrainingRow[]): Promise<BatchGradient>;
  evaluate(softPrompt: Float32Array, signal: AbortSignal): Promise<DevFigures>;
  /** Keeps the state; called after every look at the dev split and when the run is cut off. */
  save(state: TrainingState): Promise<void>;
}

/**
 * Trains a soft prompt from `state`, in place, and tells of every step. It ends after the last step, or when the dev split has not been better
 * for `patience` looks. Aborting the signal saves the state and throws the signal's reason: the run goes on from there to the same bits.
 * Throws `training_diverged`.
 */
export async function* train(
  state: TrainingState,
  options: TrainingOptions,
  signal: AbortSignal,
): AsyncGenerator<TrainingMetrics> {
  const { rows, steps, evaluateEvery } = options;
  const indices = (harmful: boolean) => rows.flatMap((row, index) => (row.harmful === harmful ? [index] : []));
  const rowsAt = batchOrder({ ...options, harmful: indices(true), harmless: indices(false) });

  while (state.step < steps) {
    if (signal.aborted) {
      await options.save(state);
      signal.throwIfAborted();
    }
    yield await takeStep(state, options, rowsAt(state.step + 1));
    if (state.step % evaluateEvery !== 0 && state.step !== steps) continue;
    const look = await lookAtDev(state, options, signal);
    await options.save(state);
    yield look;
    if (options.patience > 0 && state.best !== null) {
      if (state.step - state.best.step >= options.patience * evaluateEvery) return;
    }
  }
}

async function takeStep(
  state: TrainingState,
  options: TrainingOptions,
  indices: readonly number[],
): Promise<StepMetrics> {
  const began = performance.now();
  const step = state.step + 1;
  const batch = indices.flatMap((index) => options.rows[index] ?? []);
  const { loss, terms, gradient } = await options.compute(state.softPrompt, batch);
  const learningRate = learningRateAt(step, options);
  const gradientNorm = clipNorm(gradient, options.clip);
  // the norm sums over all entries, so it is not finite if one of them is not
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw diverged(step, loss, gradientNorm);
  adamWStep(state.softPrompt, gradient, state.optimiser, learningRate, { weightDecay: options.weightDecay });
  state.step = step;
  return { kind: 'step', step, loss, terms, gradientNorm, learningRate, seconds: (performance.now() - began) / 1000 };
}

async function lookAtDev(state: TrainingState, options: TrainingOptions, signal: AbortSignal): Promise<DevMetrics> {
  const figures = await options.evaluate(state.softPrompt, signal);
  const best = figures.coherent && (state.best === null || figures.score > state.best.score);
  if (best) state.best = { step: state.step, score: figures.score, softPrompt: state.softPrompt.slice() };
  return { kind: 'dev', step: state.step, best, ...figures };
}

function diverged(step: number, loss: number, norm: number): PreambleError {
  return new PreambleError('training_diverged', `Step ${step} gave a loss of ${loss} and a gradient of norm ${norm}.`, {
    action: 'Train with a smaller --learning-rate, or from another --seed; what was best before is kept.',
  });
}
