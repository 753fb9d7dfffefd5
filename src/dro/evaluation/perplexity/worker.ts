import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../../engine/worker-failure.ts';
import { floatData, hostTensor, openSession, type Session } from '../../../graph/session.ts';
import { openCheckpoint } from '../../../model/checkpoint.ts';
import { type Batch, batchInputs, planBatches, surprisesOf } from './batches.ts';
import type { FromScorer, ScoreWork } from './messages.ts';
import { scoreGraph, scoreNames } from './score-graph.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts runs as a worker thread of surprise.ts');
const emit = (message: FromScorer) => port.postMessage(message);

try {
  emit({ type: 'scored', surprises: await score(workerData) });
} catch (error) {
  emit({ type: 'failed', error: toFailure(error) });
}

async function score({ directory, threads, texts, stop }: ScoreWork): Promise<number[]> {
  const checkpoint = await openCheckpoint(directory);
  const { vocabSize } = checkpoint.config;
  const stopped = new Int32Array(stop);
  const surprises = new Array<number>(texts.length).fill(0);
  let session: Session | null = null;
  let shape = '';
  let done = 0;
  try {
    for (const batch of planBatches(texts)) {
      if (Atomics.load(stopped, 0) !== 0) break;
      const wanted = shapeOf(batch);
      if (session === null || wanted !== shape) {
        await session?.release();
        session = null;
        session = await openSession(scoreGraph(checkpoint, batch), { externalFolder: directory, threads });
        shape = wanted;
      }
      const { tokens, positions, targets } = batchInputs(batch, texts, vocabSize);
      const results = await session.run({
        [scoreNames.tokens]: hostTensor(tokens, [batch.rows, batch.tokens]),
        [scoreNames.positions]: hostTensor(positions, [batch.scored]),
        [scoreNames.targets]: hostTensor(targets, [batch.scored]),
      });
      const found = surprisesOf(batch, texts, floatData(results, scoreNames.scores));
      for (const [row, text] of batch.texts.entries()) surprises[text] = found[row] ?? 0;
      done += batch.texts.length;
      emit({ type: 'progress', done });
    }
  } finally {
    await session?.release();
  }
  return surprises;
}

function shapeOf({ rows, tokens, scored }: Batch): string {
  return `${rows} ${tokens} ${scored}`;
}
