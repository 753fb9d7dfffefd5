import { createSession, type Session, type SessionTensor } from '../../graph/session.ts';
import { type Checkpoint, openCheckpoint } from '../../model/checkpoint.ts';
import type { WorkerOptions } from '../messages.ts';
import { buildDecodeGraph, names } from './decode-graph.ts';
import type { Decoder, DecoderStep } from './decoder.ts';
import { openEmbeddingTable } from './embedding-table.ts';
import { openQuantizedFile } from './quantized-file.ts';
import { createRotaryRows } from './rotary-rows.ts';
import { newMask, pastMask } from './step-inputs.ts';
import { floatWeights, quantizedWeights } from './weights.ts';

type DecoderOptions = Pick<WorkerOptions, 'directory' | 'weights' | 'cacheDirectory' | 'contextLength' | 'threads'>;

/** Loads a checkpoint into ONNX Runtime. Blocks its thread while it loads and at each step: call it in a worker. */
export async function createOnnxDecoder(options: DecoderOptions): Promise<Decoder> {
  const checkpoint = await openCheckpoint(options.directory);
  const { config } = checkpoint;
  const contextLength = Math.min(options.contextLength ?? config.maxPositions, config.maxPositions);
  const session = await load(checkpoint, options);
  const embeddings = openEmbeddingTable(checkpoint);
  const rotaryRows = createRotaryRows(config, contextLength);
  const windows = [...new Set(config.slidingWindows)];
  const layers = Array.from({ length: config.layers }, (_, layer) => layer);

  async function step({ cache, firstRow, batch, positions, embeddings: input }: DecoderStep): Promise<Float32Array> {
    const lengths = Array.from({ length: batch }, (_, row) => cache.length(firstRow + row));
    const past = cache.view(firstRow, batch);
    const rows = rotaryRows(lengths.map((first) => ({ first, positions })));
    const queries = (config.heads / config.kvHeads) * positions;
    const cacheShape = [batch, config.kvHeads, past.capacity, config.headDim];
    const feeds: Record<string, SessionTensor> = {
      [names.embeddings]: { type: 'float32', data: input, dims: [batch, positions, config.hiddenSize] },
      [names.rowIds]: { type: 'int64', data: countingIds(batch * positions), dims: [batch, positions] },
      [names.cos]: { type: 'float32', data: rows.cos, dims: [batch * positions, config.headDim / 2] },
      [names.sin]: { type: 'float32', data: rows.sin, dims: [batch * positions, config.headDim / 2] },
      [names.splitSizes]: {
        type: 'int64',
        data: BigInt64Array.of(BigInt(positions), BigInt(past.capacity)),
        dims: [2],
      },
    };
    for (const window of windows) {
      const mask = pastMask(config, lengths, positions, past.capacity, window);
      feeds[names.pastMask(window)] = { type: 'float32', data: mask, dims: [batch, 1, queries, past.capacity] };
      feeds[names.newMask(window)] = {
        type: 'float32',
        data: newMask(config, positions, window),
        dims: [queries, positions],
      };
    }
    for (const layer of layers) {
      feeds[names.pastKey(layer)] = { type: 'float32', data: past.keys[layer] ?? NOTHING, dims: cacheShape };
      feeds[names.pastValue(layer)] = { type: 'float32', data: past.values[layer] ?? NOTHING, dims: cacheShape };
    }
    const outputs = await session.run(feeds);
    const newKeys = layers.map((layer) => outputs.float32(names.newKey(layer)));
    const newValues = layers.map((layer) => outputs.float32(names.newValue(layer)));
    for (let row = 0; row < batch; row++) cache.append(firstRow + row, newKeys, newValues, row, positions);
    return outputs.float32(names.logits);
  }

  return {
    shape: { layers: config.layers, kvHeads: config.kvHeads, headDim: config.headDim },
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
    contextLength,
    eosTokenIds: new Set(config.eosTokenIds),
    embed: embeddings.read,
    step,
    async close() {
      embeddings.close();
      await session.release();
    },
  };
}

const NOTHING = new Float32Array();

async function load(checkpoint: Checkpoint, { weights, cacheDirectory, threads }: DecoderOptions): Promise<Session> {
  if (weights === 'float32') {
    const model = buildDecodeGraph(checkpoint.config, (graph) => floatWeights(graph, checkpoint));
    return createSession(model, { folder: checkpoint.directory, threads });
  }
  const bits = weights === '4-bit' ? 4 : 8;
  const file = await openQuantizedFile(checkpoint, bits, cacheDirectory);
  const model = buildDecodeGraph(checkpoint.config, (graph) => quantizedWeights(graph, checkpoint, file, bits));
  return createSession(model, { folder: file.folder, threads });
}

function countingIds(count: number): BigInt64Array {
  return BigInt64Array.from({ length: count }, (_, index) => BigInt(index));
}
