import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { fromFailure, toFailure } from '../../engine/worker-failure.ts';
import { PreambleError } from '../../errors.ts';
import { workerUrl } from '../../worker-url.ts';
import { bucketByLength } from './length-buckets.ts';
import type { QueryLayout } from './query-layout.ts';
import type { FromStatesWorker, StatesJob } from './states-messages.ts';

/** Shipped queries have 7 to 30 tokens with the generation prompt: four graphs, and a fifth of the work is padding. */
const LENGTH_STEP = 8;
/** Some 500 tokens a run use the cores well and need little memory. */
const MAX_ROWS = 16;

const WORKER_URL = workerUrl('states-worker', import.meta.url);

export interface StatesOptions {
  threads?: number;
  /** How many queries are done. */
  onProgress?(done: number): void;
}

/**
 * Each query's final-layer state after the norm at its last input token, generation prompt included: `[queries, hiddenSize]` float32,
 * row-major, in the order of `layout.rows`. Computed in a thread of its own. Throws the signal's reason when aborted.
 */
export async function computeStates(
  directory: string,
  layout: QueryLayout,
  signal: AbortSignal,
  options: StatesOptions = {},
): Promise<Float32Array> {
  signal.throwIfAborted();
  const stop = new SharedArrayBuffer(4);
  const lengths = layout.rows.map(({ length }) => length);
  const job: StatesJob = {
    directory,
    layout,
    batches: bucketByLength(lengths, { step: LENGTH_STEP, maxRows: MAX_ROWS }),
    threads: options.threads ?? availableParallelism(),
    stop,
  };
  const worker = new Worker(WORKER_URL, { workerData: job });
  const onAbort = () => Atomics.store(new Int32Array(stop), 0, 1);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { batches, hiddenSize } = await listen(worker, options, signal);
    signal.throwIfAborted();
    const states = new Float32Array(lengths.length * hiddenSize);
    for (const { indices, values } of batches) {
      indices.forEach((index, row) => {
        states.set(values.subarray(row * hiddenSize, (row + 1) * hiddenSize), index * hiddenSize);
      });
    }
    return states;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

type StatesOfBatch = Extract<FromStatesWorker, { type: 'states' }>;

/** Resolves when the thread has ended. */
async function listen(
  worker: Worker,
  { onProgress }: StatesOptions,
  signal: AbortSignal,
): Promise<{ batches: StatesOfBatch[]; hiddenSize: number }> {
  const batches: StatesOfBatch[] = [];
  const known = new Set<number>();
  let hiddenSize: number | null = null;
  let failure: Error | null = null;
  worker.on('message', (message: FromStatesWorker) => {
    if (message.type === 'failed') failure = fromFailure(message.error);
    else if (message.type === 'done') hiddenSize = message.hiddenSize;
    else {
      batches.push(message);
      for (const index of message.indices) known.add(index);
      onProgress?.(known.size);
    }
  });
  worker.on('error', (error) => {
    failure = fromFailure(toFailure(error));
  });
  const code = await new Promise<number>((resolve) => worker.once('exit', resolve));
  if (failure !== null) throw failure;
  signal.throwIfAborted();
  if (hiddenSize === null)
    throw new PreambleError('internal', `The thread that computes states ended with code ${code}`);
  return { batches, hiddenSize };
}
