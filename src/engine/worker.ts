import { parentPort, workerData } from 'node:worker_threads';
import { createOnnxDecoder } from './decoder/onnx-decoder.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './messages.ts';
import { createPace } from './pace.ts';
import { createScheduler } from './scheduler.ts';
import { toFailure } from './worker-failure.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts runs as a worker thread of worker-client.ts');
const options: WorkerOptions = workerData;
const pace = createPace();
const emit = (message: FromWorker) => {
  if (message.type === 'step') pace.sent();
  port.postMessage(message);
};

try {
  const decoder = await createOnnxDecoder(options);
  const scheduler = createScheduler(decoder, options.slots, emit, pace.wait);
  port.on('message', async (message: ToWorker) => {
    if (message.type === 'generate') scheduler.add(message.request);
    else if (message.type === 'cancel') scheduler.cancel(message.id);
    else if (message.type === 'taken') pace.taken();
    else {
      await scheduler.close();
      await decoder.close();
      port.close();
    }
  });
  emit({ type: 'ready', contextLength: decoder.contextLength });
} catch (error) {
  emit({ type: 'unusable', error: toFailure(error) });
}
