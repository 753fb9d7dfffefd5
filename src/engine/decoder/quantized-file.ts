import { createHash } from 'node:crypto';
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PreambleError, toError } from '../../errors.ts';
import {
  readSafetensorsHeader,
  readTensor,
  type SafetensorsEntry,
  writeSafetensors,
} from '../../formats/safetensors.ts';
import { type Checkpoint, type CheckpointTensor, readTensorFile } from '../../model/checkpoint.ts';
import { type QuantizedBits, type QuantizedMatrix, quantizeMatrix } from '../quantize.ts';
import { bitsOf, quantizedNames, quantizedTensorShapes, weightName } from './weights.ts';

/** Raised whenever the file's content would come out differently for the same checkpoint. */
const FILE_VERSION = '2';

export interface QuantizedFile {
  folder: string;
  tensors: ReadonlyMap<string, CheckpointTensor>;
}

/**
 * The checkpoint's weights in 4 or 8 bits: made once, kept beside the model (or in the cache where that can't be written), and then read
 * in place. It holds norms and biases too, so that one file serves the decoder.
 */
export async function openQuantizedFile(
  checkpoint: Checkpoint,
  bits: QuantizedBits,
  cacheDirectory: string,
): Promise<QuantizedFile> {
  const source = await fingerprint(checkpoint);
  const folder = await writableFolder(checkpoint, cacheDirectory, source);
  const name = `weights-${bits}bit.safetensors`;
  const path = join(folder, name);
  const known = await readSafetensorsHeader(path).catch(() => null);
  if (known?.metadata['source'] !== source)
    await writeSafetensors(path, quantizedEntries(checkpoint, bits), { source });
  return { folder, tensors: await readTensorFile(folder, name) };
}

/** Names the checkpoint's files by size and time of change: reading gigabytes at each start to hash them would take longer than loading. */
async function fingerprint(checkpoint: Checkpoint): Promise<string> {
  const hash = createHash('sha256').update(FILE_VERSION);
  const files = [...new Set([...checkpoint.tensors.values()].map((tensor) => tensor.file))].sort();
  for (const file of files) {
    const { size, mtimeMs } = await stat(join(checkpoint.directory, file));
    hash.update(`${file}:${size}:${mtimeMs};`);
  }
  return hash.digest('hex');
}

async function writableFolder(checkpoint: Checkpoint, cacheDirectory: string, source: string): Promise<string> {
  const beside = join(checkpoint.directory, '.preamble');
  const inCache = join(cacheDirectory, 'weights', `${basename(checkpoint.directory)}-${source.slice(0, 16)}`);
  let failure: unknown;
  for (const folder of [beside, inCache]) {
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
      return folder;
    } catch (error) {
      failure = error;
    }
  }
  throw new PreambleError(
    'file_unwritable',
    `Neither ${beside} nor ${inCache} can be written: ${toError(failure).message}.`,
    {
      action: 'Make one of them writable, set PREAMBLE_CACHE, or serve with float32 weights.',
      cause: failure,
    },
  );
}

/** Layers that read the same input become one product. */
function productsOf(checkpoint: Checkpoint): string[][] {
  const perLayer = Array.from({ length: checkpoint.config.layers }, (_, layer) => {
    const attention = `model.layers.${layer}.self_attn`;
    const mlp = `model.layers.${layer}.mlp`;
    return [
      ['q', 'k', 'v'].map((projection) => `${attention}.${projection}_proj`),
      [`${attention}.o_proj`],
      [`${mlp}.gate_proj`, `${mlp}.up_proj`],
      [`${mlp}.down_proj`],
    ];
  });
  return [...perLayer.flat(), ['lm_head']];
}

function* quantizedEntries(checkpoint: Checkpoint, bits: QuantizedBits): Generator<SafetensorsEntry> {
  for (const layers of productsOf(checkpoint)) {
    const key = quantizedNames.key(layers);
    const weights = layers.map((layer) => checkpoint.tensor(weightName(checkpoint, layer)));
    const rows = weights.reduce((sum, weight) => sum + (weight.shape[0] ?? 0), 0);
    const columns = weights[0]?.shape[1] ?? 0;
    const productBits = bitsOf(layers, bits);
    const shapes = quantizedTensorShapes(rows, columns, productBits);
    const part = sharedParts(async () => {
      const matrices: QuantizedMatrix[] = [];
      for (const weight of weights) {
        const values = await readTensor(join(checkpoint.directory, weight.file), weight.location);
        matrices.push(quantizeMatrix(values, weight.shape[0] ?? 0, columns, productBits));
      }
      return matrices;
    });
    yield {
      name: quantizedNames.values(key),
      dtype: 'U8',
      shape: shapes.values,
      bytes: part((matrix) => matrix.values),
    };
    yield {
      name: quantizedNames.scales(key),
      dtype: 'F32',
      shape: shapes.scales,
      bytes: part((matrix) => bytesOf(matrix.scales)),
    };
    yield {
      name: quantizedNames.zeroPoints(key),
      dtype: 'U8',
      shape: shapes.zeroPoints,
      bytes: part((matrix) => matrix.zeroPoints),
    };
    if (checkpoint.tensors.has(`${layers[0]}.bias`)) {
      yield floatEntry(
        checkpoint,
        quantizedNames.bias(key),
        layers.map((layer) => `${layer}.bias`),
      );
    }
  }
  for (const [name, tensor] of checkpoint.tensors) {
    if (tensor.shape.length === 1 && !name.endsWith('.bias')) yield floatEntry(checkpoint, name, [name]);
  }
}

/** How many tensors a quantised product is written as. */
const PARTS = 3;

/**
 * Quantises once for the three tensors that come of it. The writer puts wider types first, so values wait in memory until all scales are
 * written: the size of the quantised model, once in its life.
 */
function sharedParts(quantize: () => Promise<QuantizedMatrix[]>) {
  let shared: Promise<QuantizedMatrix[]> | null = null;
  let left = PARTS;
  return (pick: (matrix: QuantizedMatrix) => Uint8Array) =>
    async function* () {
      shared ??= quantize();
      const matrices = await shared;
      left--;
      if (left === 0) shared = null;
      yield* matrices.map(pick);
    };
}

/** Vectors of the checkpoint end to end, as float32. */
function floatEntry(checkpoint: Checkpoint, name: string, sources: readonly string[]): SafetensorsEntry {
  const tensors = sources.map((source) => checkpoint.tensor(source));
  return {
    name,
    dtype: 'F32',
    shape: [tensors.reduce((sum, tensor) => sum + (tensor.shape[0] ?? 0), 0)],
    bytes: async function* () {
      for (const tensor of tensors)
        yield bytesOf(await readTensor(join(checkpoint.directory, tensor.file), tensor.location));
    },
  };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
