import { parentPort, workerData } from 'node:worker_threads';
import { toFailure } from '../../engine/worker-failure.ts';
import { floatData, hostTensor, openSession } from '../../graph/session.ts';
import { type Checkpoint, openCheckpoint } from '../../model/checkpoint.ts';
import { openEmbeddingTable } from '../../model/embedding-table.ts';
import type { Batch } from './length-buckets.ts';
import type { QueryLayout } from './query-layout.ts';
import { statesGraph, statesNames } from './states-graph.ts';
import type { FromStatesWorker, StatesJob } from './states-messages.ts';

const port = parentPort;
if (port === null) throw new Error('states-worker.ts runs as a worker thread of states.ts');
const job: StatesJob = workerData;
const post = (message: FromStatesWorker) => port.postMessage(message);

try {
  const checkpoint = await openCheckpoint(job.directory);
  await computeAll(checkpoint);
  post({ type: 'done', hiddenSize: checkpoint.config.hiddenSize });
} catch (error) {
  post({ type: 'failed', error: toFailure(error) });
}
port.close();

async function computeAll(checkpoint: Checkpoint): Promise<void> {
  const stop = new Int32Array(job.stop);
  const { hiddenSize } = checkpoint.config;
  const prefix = prefixRows(checkpoint, job.layout);
  const positions = prefix.length / hiddenSize;
  // One graph at a time: each holds the weights as float32.
  for (const batches of runsOfOneShape(job.batches)) {
    const shape = { rows: batches[0].indices.length, tokens: batches[0].tokens, prefix: positions };
    const options = { externalFolder: checkpoint.directory, threads: job.threads };
    const session = await openSession(statesGraph(checkpoint, shape), options);
    try {
      for (const batch of batches) {
        if (Atomics.load(stop, 0) !== 0) return;
        const feeds = {
          ...batchInputs(batch, job.layout.rows),
          ...(positions === 0 ? {} : { [statesNames.prefix]: hostTensor(prefix, [positions, hiddenSize]) }),
        };
        const values = floatData(await session.run(feeds), statesNames.states);
        post({ type: 'states', indices: batch.indices, values });
      }
    } finally {
      await session.release();
    }
  }
}

function runsOfOneShape(batches: readonly Batch[]): [Batch, ...Batch[]][] {
  const runs: [Batch, ...Batch[]][] = [];
  for (const batch of batches) {
    const run = runs.at(-1);
    const alike = run !== undefined && run[0].tokens === batch.tokens && run[0].indices.length === batch.indices.length;
    if (alike) run.push(batch);
    else runs.push([batch]);
  }
  return runs;
}

/** What every row begins with, `[positions, hiddenSize]` float32. */
function prefixRows(checkpoint: Checkpoint, { before, prompt, after }: QueryLayout): Float32Array {
  const { hiddenSize } = checkpoint.config;
  const promptTokens = prompt?.tokens ?? 0;
  const rows = new Float32Array((before.length + promptTokens + after.length) * hiddenSize);
  const table = openEmbeddingTable(checkpoint);
  table.read(before, rows, 0);
  if (prompt !== null) rows.set(prompt.values, before.length * hiddenSize);
  table.read(after, rows, before.length + promptTokens);
  table.close();
  return rows;
}

function batchInputs({ tokens, indices }: Batch, rows: QueryLayout['rows']) {
  const ids = new BigInt64Array(indices.length * tokens);
  const last = new BigInt64Array(indices.length);
  indices.forEach((index, row) => {
    const own = rows[index] ?? [];
    ids.set(own.map(BigInt), row * tokens);
    last[row] = BigInt(own.length - 1);
  });
  return {
    [statesNames.tokens]: hostTensor(ids, [indices.length, tokens]),
    [statesNames.last]: hostTensor(last, [indices.length]),
  };
}
