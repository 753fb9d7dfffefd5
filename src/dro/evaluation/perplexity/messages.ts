import type { WorkerFailure } from '../../../engine/messages.ts';
import type { ScoredText } from './batches.ts';

/** What the thread is started with. */
export interface ScoreWork {
  directory: string;
  threads: number;
  texts: readonly ScoredText[];
  /** One Int32: not 0 when the work is to be given up; a thread that computes reads no messages. */
  stop: SharedArrayBuffer;
}

export type FromScorer =
  /** Texts done so far. */
  | { type: 'progress'; done: number }
  | { type: 'scored'; surprises: readonly number[] }
  | { type: 'failed'; error: WorkerFailure };
