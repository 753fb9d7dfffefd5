import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { fromFailure, toFailure } from '../../../engine/worker-failure.ts';
import { PreambleError } from '../../../errors.ts';
import { workerUrl } from '../../../worker-url.ts';
import type { ScoredText } from './batches.ts';
import type { FromScorer, ScoreWork } from './messages.ts';

const WORKER_URL = workerUrl('worker', import.meta.url);

export interface SurpriseOptions {
  signal: AbortSignal;
  /** Texts done so far. */
  onProgress?: (done: number) => void;
  threads?: number;
}

/**
 * The mean negative log-likelihood, in nats a token, that the model in `directory` gives to the end of each text. A text's perplexity is exp of
 * it. Computed in its own thread. Throws the signal's reason, or why the model cannot be used.
 */
export async function measureSurprise(
  directory: string,
  texts: readonly ScoredText[],
  { signal, onProgress, threads = availableParallelism() }: SurpriseOptions,
): Promise<number[]> {
  signal.throwIfAborted();
  if (texts.length === 0) return [];
  const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const workerData: ScoreWork = { directory, threads, texts, stop };
  const worker = new Worker(WORKER_URL, { workerData });
  // Not terminated: the runtime's native code would abort the process in mid-computation. It stops after the batch at hand.
  const giveUp = () => Atomics.store(new Int32Array(stop), 0, 1);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const surprises = await new Promise<readonly number[]>((resolve, reject) => {
      worker.on('message', (message: FromScorer) => {
        if (message.type === 'progress') onProgress?.(message.done);
        else if (message.type === 'scored') resolve(message.surprises);
        else reject(fromFailure(message.error));
      });
      worker.on('error', (error) => reject(fromFailure(toFailure(error))));
      worker.on('exit', (code) => reject(new PreambleError('internal', `The scoring thread ended with code ${code}`)));
    });
    signal.throwIfAborted();
    return [...surprises];
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
