import { Tensor as RuntimeTensor } from 'onnxruntime-node';
import { openSession, type Session } from '../../graph/session.ts';
import { type Checkpoint, openCheckpoint } from '../../model/checkpoint.ts';
import { openEmbeddingTable } from '../../model/embedding-table.ts';
import type { KeyValueSnapshot, KeyValueView } from '../key-value-cache.ts';
import type { WorkerOptions } from '../messages.ts';
import { buildDecodeGraph, names } from './decode-graph.ts';
import type { Decoder, DecoderStep } from './decoder.ts';
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
    // A prompt is read against exactly what came before it; running answers share the cache's capacity, masked where they are shorter.
    const past = positions > 1 ? compact(cache.snapshot(firstRow)) : cache.view(firstRow, batch);
    const rows = rotaryRows(lengths.map((first) => ({ first, positions })));
    const queries = (config.heads / config.kvHeads) * positions;
    const cacheShape = [batch, config.kvHeads, past.capacity, config.headDim];
    const feeds: Record<string, RuntimeTensor> = {
      [names.embeddings]: new RuntimeTensor(input, [batch, positions, config.hiddenSize]),
      [names.rowIds]: new RuntimeTensor(countingIds(batch * positions), [batch, positions]),
      [names.cos]: new RuntimeTensor(rows.cos, [batch * positions, config.headDim / 2]),
      [names.sin]: new RuntimeTensor(rows.sin, [batch * positions, config.headDim / 2]),
      [names.splitSizes]: new RuntimeTensor(BigInt64Array.of(BigInt(positions), BigInt(past.capacity)), [2]),
    };
    for (const window of windows) {
      const mask = pastMask(config, lengths, positions, past.capacity, window);
      feeds[names.pastMask(window)] = new RuntimeTensor(mask, [batch, 1, queries, past.capacity]);
      feeds[names.newMask(window)] = new RuntimeTensor(newMask(config, positions, window), [queries, positions]);
    }
    for (const layer of layers) {
      feeds[names.pastKey(layer)] = new RuntimeTensor(past.keys[layer] ?? NOTHING, cacheShape);
      feeds[names.pastValue(layer)] = new RuntimeTensor(past.values[layer] ?? NOTHING, cacheShape);
    }
    const outputs = await session.run(feeds);
    const newKeys = layers.map((layer) => floats(outputs, names.newKey(layer)));
    const newValues = layers.map((layer) => floats(outputs, names.newValue(layer)));
    for (let row = 0; row < batch; row++) cache.append(firstRow + row, newKeys, newValues, row, positions);
    return floats(outputs, names.logits);
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

function compact({ keys, values, length }: KeyValueSnapshot): KeyValueView {
  return { keys, values, capacity: length };
}

// Waiting threads spin within a run, which is what makes small operators fast; between runs they would only heat an idle machine.
const configuration = { 'session.force_spinning_stop': '1' };

function floats(outputs: Readonly<Record<string, RuntimeTensor>>, name: string): Float32Array {
  const data: unknown = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new TypeError(`the decode graph gave no float32 output named ${name}`);
}

async function load(checkpoint: Checkpoint, { weights, cacheDirectory, threads }: DecoderOptions): Promise<Session> {
  if (weights === 'float32') {
    const model = buildDecodeGraph(checkpoint.config, (graph) => floatWeights(graph, checkpoint));
    return openSession(model, { externalFolder: checkpoint.directory, threads, configuration });
  }
  const bits = weights === '4-bit' ? 4 : 8;
  const file = await openQuantizedFile(checkpoint, bits, cacheDirectory);
  const model = buildDecodeGraph(checkpoint.config, (graph) => quantizedWeights(graph, checkpoint, file.tensors, bits));
  return openSession(model, { externalFolder: file.folder, threads, configuration });
}

function countingIds(count: number): BigInt64Array {
  return BigInt64Array.from({ length: count }, (_, index) => BigInt(index));
}
