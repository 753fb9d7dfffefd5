import type { WeightPrecision } from './decoder/weights.ts';
import type { FinishReason, GeneratedToken, GenerationRequest } from './generation.ts';

/** What the engine's thread is started with. */
export interface WorkerOptions {
  directory: string;
  weights: WeightPrecision;
  /** Where quantised weights may be kept if the model's own directory can't be written. */
  cacheDirectory: string;
  /** Sequences decoded together. */
  slots: number;
  /** Null for the checkpoint's own maximum. */
  contextLength: number | null;
  threads: number;
}

/** The part of a request that the decoder needs; texts to stop at are matched where text exists. */
export type WorkerRequest = Omit<GenerationRequest, 'stop'>;

export type ToWorker =
  | { type: 'generate'; request: WorkerRequest }
  | { type: 'cancel'; id: string }
  /** A step's tokens have been taken. */
  | { type: 'taken' }
  | { type: 'close' };

export interface SequenceToken {
  id: string;
  token: GeneratedToken;
  /** Null while the sequence goes on. */
  finishReason: FinishReason | null;
}

export type FromWorker =
  | { type: 'ready'; contextLength: number }
  | { type: 'unusable'; error: WorkerFailure }
  | { type: 'started'; id: string; cachedTokens: number }
  /** All tokens of one step, so that a batch costs one message. */
  | { type: 'step'; tokens: readonly SequenceToken[] }
  | { type: 'failed'; id: string; error: WorkerFailure };

/** An error as it crosses threads, where classes don't survive. */
export interface WorkerFailure {
  code: string | null;
  message: string;
  action: string | null;
  stack: string | null;
}
