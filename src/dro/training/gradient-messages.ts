import type { WorkerFailure } from '../../engine/messages.ts';
import type { BatchGradient, GradientOptions } from './gradients.ts';
import type { TrainingRow } from './training-row.ts';

/** What the gradients' thread is started with. */
export interface GradientJob {
  directory: string;
  options: GradientOptions;
}

export type ToGradientWorker =
  | { type: 'compute'; softPrompt: Float32Array; rows: readonly TrainingRow[] }
  | { type: 'close' };

/** Answers come in the order of the questions. */
export type FromGradientWorker = { type: 'computed'; batch: BatchGradient } | { type: 'failed'; error: WorkerFailure };
