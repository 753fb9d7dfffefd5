import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { PreambleError } from '../errors.ts';
import type { OnnxDataType, OnnxExternalData } from '../formats/onnx.ts';
import { readSafetensorsHeader, type TensorLocation } from '../formats/safetensors.ts';
import type { ModelConfig } from './config.ts';
import { expectedTensors } from './expected-tensors.ts';
import { loadModelConfig } from './parse-config.ts';
import { readShardIndex } from './shard-index.ts';

/** A weight where it lies: the file in the checkpoint's directory, and the bytes in it. */
export interface CheckpointTensor extends OnnxExternalData {
  dtype: OnnxDataType;
  shape: readonly number[];
  location: TensorLocation;
}

/** A Hugging Face directory whose weights can be read in place. */
export interface Checkpoint {
  readonly directory: string;
  readonly config: ModelConfig;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Throws `format_invalid` if the checkpoint has no such tensor. */
  tensor(name: string): CheckpointTensor;
}

const dtypes: Partial<Record<TensorLocation['dtype'], OnnxDataType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  U8: 'uint8',
};

/** Opens a checkpoint and checks that it holds every weight its architecture needs, in the right shape. */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  const config = await loadModelConfig(directory);
  const tensors = new Map<string, CheckpointTensor>();
  for (const file of await weightFiles(directory)) {
    for (const [name, tensor] of await readTensorFile(directory, file)) tensors.set(name, tensor);
  }
  for (const [name, shape] of expectedTensors(config)) {
    const found = tensors.get(name);
    if (found === undefined) throw unusable(directory, `tensor ${name} is missing`);
    if (found.shape.join() !== shape.join()) {
      throw unusable(directory, `tensor ${name} is [${found.shape.join(', ')}] and should be [${shape.join(', ')}]`);
    }
  }
  return {
    directory,
    config,
    tensors,
    tensor(name) {
      const found = tensors.get(name);
      if (found === undefined) throw unusable(directory, `tensor ${name} is missing`);
      return found;
    },
  };
}

/** The tensors of one safetensors file that a graph can read in place; others (integers, 8-bit floats) are left out. */
export async function readTensorFile(directory: string, file: string): Promise<Map<string, CheckpointTensor>> {
  const { tensors } = await readSafetensorsHeader(join(directory, file));
  const readable = new Map<string, CheckpointTensor>();
  for (const [name, location] of tensors) {
    const dtype = dtypes[location.dtype];
    const { shape, offset, length } = location;
    if (dtype !== undefined) readable.set(name, { file, dtype, shape, offset, length, location });
  }
  return readable;
}

async function weightFiles(directory: string): Promise<string[]> {
  const whole = 'model.safetensors';
  const index = await readShardIndex(directory);
  if (index !== null) return [...new Set(index.values())];
  await access(join(directory, whole)).catch((cause: unknown) => {
    throw new PreambleError('file_unreadable', `${directory} has neither ${whole} nor an index of shards.`, {
      action: 'Give a checkpoint with safetensors weights.',
      cause,
    });
  });
  return [whole];
}

function unusable(directory: string, reason: string): PreambleError {
  return new PreambleError('format_invalid', `The checkpoint in ${directory} cannot be used: ${reason}.`, {
    action: 'Fetch the model again, or check that its config.json belongs to its weights.',
  });
}
