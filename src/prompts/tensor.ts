import { PreambleError } from '../errors.ts';
import { decodeBf16 } from '../formats/half-precision.ts';
import { LENGTH_PREFIX_BYTES, MAX_HEADER_BYTES, parseSafetensorsHeader } from '../formats/safetensors-header.ts';
import { invalidPrompt } from './manifest.ts';

export const TENSOR_NAME = 'soft_prompt';
/** Virtual tokens: more than a context of text would leave no room for the conversation. */
export const MAX_VIRTUAL_TOKENS = 4096;
/** 4096 float32 rows of a model as wide as the widest today (16,384), and a header. */
export const MAX_TENSOR_FILE_BYTES = 4096 * 16_384 * 4 + 2 ** 20;

type PromptDtype = 'BF16' | 'F32';

/** The rows as stored. */
export interface PromptTensor {
  readonly dtype: PromptDtype;
  readonly tokens: number;
  readonly hiddenSize: number;
  /** `[tokens, hiddenSize]`, row-major, little-endian. */
  readonly bytes: Uint8Array;
}

/**
 * Parses the bytes of a `prompt.safetensors`: one tensor `soft_prompt` [tokens, hiddenSize], BF16 or F32, all finite.
 * `path` is named in errors. Throws `prompt_invalid`.
 */
export function parsePromptTensor(file: Uint8Array, path: string): PromptTensor {
  const { tensors } = parseHeader(file, path);
  const location = tensors.get(TENSOR_NAME);
  if (location === undefined || tensors.size !== 1) {
    throw invalidPrompt(path, `it must hold the tensor ${TENSOR_NAME} and no other`);
  }
  const { dtype, shape, offset, length } = location;
  if (dtype !== 'BF16' && dtype !== 'F32') throw invalidPrompt(path, `its dtype is ${dtype}, it must be BF16 or F32`);
  const [tokens, hiddenSize] = shape;
  if (tokens === undefined || hiddenSize === undefined || shape.length !== 2 || tokens === 0 || hiddenSize === 0) {
    throw invalidPrompt(path, `its shape is [${shape.join(', ')}], it must be [tokens, hiddenSize]`);
  }
  if (tokens > MAX_VIRTUAL_TOKENS) {
    throw invalidPrompt(path, `it has ${tokens} virtual tokens, the most is ${MAX_VIRTUAL_TOKENS}`);
  }
  const tensor: PromptTensor = { dtype, tokens, hiddenSize, bytes: file.subarray(offset, offset + length) };
  assertFinite(tensor, path);
  return tensor;
}

/** `[tokens, hiddenSize]` float32, row-major; BF16 is widened exactly. */
export function toFloat32(tensor: PromptTensor): Float32Array {
  // A copy: the bytes may lie anywhere in their file, typed arrays must be aligned.
  const aligned = Uint8Array.from(tensor.bytes).buffer;
  if (tensor.dtype === 'F32') return new Float32Array(aligned);
  const values = new Float32Array(tensor.tokens * tensor.hiddenSize);
  decodeBf16(new Uint16Array(aligned), values);
  return values;
}

/** One NaN would make every answer NaN. Throws `prompt_invalid`. */
export function assertFinite(tensor: PromptTensor, path: string): void {
  const at = toFloat32(tensor).findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const row = Math.floor(at / tensor.hiddenSize);
  throw invalidPrompt(path, `row ${row} holds a value that is not a finite number (NaN or infinity)`);
}

function parseHeader(file: Uint8Array, path: string) {
  if (file.length < LENGTH_PREFIX_BYTES) throw invalidPrompt(path, 'it is shorter than its first field');
  const headerLength = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  const rest = file.length - LENGTH_PREFIX_BYTES;
  if (headerLength > MAX_HEADER_BYTES || Number(headerLength) > rest) {
    throw invalidPrompt(path, `it claims a header of ${headerLength} bytes, but ends after ${rest}`);
  }
  const json = file.subarray(LENGTH_PREFIX_BYTES, LENGTH_PREFIX_BYTES + Number(headerLength));
  try {
    return parseSafetensorsHeader(json, file.length, path);
  } catch (error) {
    if (!(error instanceof PreambleError)) throw error;
    throw new PreambleError('prompt_invalid', error.message, {
      action: 'Make it again, or get a fresh copy.',
      cause: error,
    });
  }
}
