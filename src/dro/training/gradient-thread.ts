import { Worker } from 'node:worker_threads';
import { fromFailure, toFailure } from '../../engine/worker-failure.ts';
import { PreambleError } from '../../errors.ts';
import { workerUrl } from '../../worker-url.ts';
import type { FromGradientWorker, GradientJob, ToGradientWorker } from './gradient-messages.ts';
import type { BatchGradient, Gradients } from './gradients.ts';

const WORKER_URL = workerUrl('gradient-worker', import.meta.url);

interface Asked {
  resolve(batch: BatchGradient): void;
  reject(error: Error): void;
}

/** Gradients computed in a thread of their own, so that progress is drawn and Ctrl-C heard meanwhile. Throws what computing throws. */
export function startGradients(job: GradientJob): Gradients {
  const worker = new Worker(WORKER_URL, { workerData: job });
  const asked: Asked[] = [];
  const send = (message: ToGradientWorker) => worker.postMessage(message);
  let ended: Error | null = null;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  worker.on('message', (message: FromGradientWorker) => {
    const next = asked.shift();
    if (message.type === 'computed') next?.resolve(message.batch);
    else next?.reject(fromFailure(message.error));
  });
  worker.on('error', (error) => {
    ended = fromFailure(toFailure(error));
  });
  worker.on('exit', () => {
    ended ??= new PreambleError('internal', 'The thread that computes gradients has ended.');
    for (const { reject } of asked.splice(0)) reject(ended);
  });

  return {
    compute(softPrompt, rows) {
      if (ended !== null) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        asked.push({ resolve, reject });
        send({ type: 'compute', softPrompt, rows });
      });
    },
    async close() {
      send({ type: 'close' });
      await exited;
    },
  };
}
