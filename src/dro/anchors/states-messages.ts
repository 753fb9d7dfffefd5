import type { WorkerFailure } from '../../engine/messages.ts';
import type { Batch } from './length-buckets.ts';
import type { QueryLayout } from './query-layout.ts';

/** What the thread that computes states is started with. */
export interface StatesJob {
  directory: string;
  layout: QueryLayout;
  batches: readonly Batch[];
  threads: number;
  /** One int32: not 0 to stop after the batch that is computed. Runs block their thread, which hears no messages. */
  stop: SharedArrayBuffer;
}

export type FromStatesWorker =
  /** `[indices, hiddenSize]` float32 of one batch. */
  | { type: 'states'; indices: readonly number[]; values: Float32Array }
  | { type: 'done'; hiddenSize: number }
  | { type: 'failed'; error: WorkerFailure };
