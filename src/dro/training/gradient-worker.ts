import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../engine/worker-failure.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import type { FromGradientWorker, GradientJob, ToGradientWorker } from './gradient-messages.ts';
import { createGradients } from './gradients.ts';

const port = parentPort;
if (port === null) throw new Error('gradient-worker.ts runs as a worker thread of gradient-thread.ts');
const { directory, options }: GradientJob = workerData;
const emit = (message: FromGradientWorker) => port.postMessage(message);

const opening = openCheckpoint(directory).then((checkpoint) => createGradients(checkpoint, options));
// it is told with the first answer
opening.catch(() => {});

let last: Promise<void> = Promise.resolve();
port.on('message', (message: ToGradientWorker) => {
  last = last.then(async () => {
    try {
      const gradients = await opening;
      if (message.type === 'compute') {
        emit({ type: 'computed', batch: await gradients.compute(message.softPrompt, message.rows) });
      } else {
        await gradients.close();
        port.close();
      }
    } catch (error) {
      emit({ type: 'failed', error: toFailure(error) });
    }
  });
});
