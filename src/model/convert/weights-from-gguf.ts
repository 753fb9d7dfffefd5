import type { FileHandle } from 'node:fs/promises';
import { PreambleError } from '../../errors.ts';
import {
  type Dequantizer,
  dequantizableTypes,
  dequantizerOf,
  isDequantizable,
} from '../../formats/dequantize/dequantizers.ts';
import { readExactly } from '../../formats/file-ranges.ts';
import type { GgufHeader, GgufTensor } from '../../formats/gguf.ts';
import { encodeBf16 } from '../../formats/half-precision.ts';
import type { SafetensorsEntry } from '../../formats/safetensors.ts';
import type { ModelConfig } from '../config.ts';
import { expectedTensors } from '../expected-tensors.ts';
import { ggufName, isInterleaved } from './tensor-names.ts';

/** Values converted at a time: memory stays at a few megabytes however large the tensor. */
const CHUNK_VALUES = 2 ** 19;
/** Made from the configuration, not a weight. */
const ROPE_FACTORS = 'rope_freqs.weight';

interface Step {
  name: string;
  shape: number[];
  tensor: GgufTensor;
  dequantizer: Dequantizer;
  /** Whether llama.cpp's converter interleaved the two halves of each head's rows. */
  interleaved: boolean;
}

/**
 * The tensors of a Hugging Face checkpoint as bfloat16, each read from the open GGUF `file` and dequantised as it is asked for.
 * All that can be wrong with the file is checked here, before the first weight is read. `config` is the checkpoint's.
 * Throws `format_invalid`, `model_unsupported`.
 */
export function weightsFromGguf(file: FileHandle, header: GgufHeader, config: ModelConfig): SafetensorsEntry[] {
  return plan(header, config).map((step) => ({
    name: step.name,
    dtype: 'BF16',
    shape: step.shape,
    bytes: () => convert(file, step, config.headDim),
  }));
}

/** The values of `rope_freqs.weight`, null where there is none. `[headDim / 2]` */
export async function readRopeFactors(file: FileHandle, header: GgufHeader): Promise<Float32Array | null> {
  const tensor = header.tensors.get(ROPE_FACTORS);
  if (tensor === undefined) return null;
  const values = new Float32Array(tensor.length / Float32Array.BYTES_PER_ELEMENT);
  if (tensor.type !== 'F32' || tensor.shape.length !== 1) throw invalid(`tensor ${ROPE_FACTORS} is no list of float32`);
  await readOrThrow(file, new Uint8Array(values.buffer), tensor.offset);
  return values;
}

function plan(header: GgufHeader, config: ModelConfig): Step[] {
  const steps: Step[] = [];
  const used = new Set([ROPE_FACTORS]);
  for (const [name, shape] of expectedTensors(config)) {
    const source = ggufName(name);
    const tensor = header.tensors.get(source);
    if (tensor === undefined) throw invalid(`tensor ${source} is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw invalid(`tensor ${source} is [${tensor.shape.join(', ')}] and should be [${shape.join(', ')}]`);
    }
    const { type } = tensor;
    if (!isDequantizable(type)) {
      throw new PreambleError('model_unsupported', `Tensor ${source} is quantised as ${type}, which cannot be read.`, {
        action: `Use a GGUF file of these types: ${dequantizableTypes.join(', ')}.`,
      });
    }
    used.add(source);
    const interleaved = isInterleaved(name, config);
    steps.push({ name, shape, tensor, dequantizer: dequantizerOf(type), interleaved });
  }
  const unknown = [...header.tensors.keys()].find((name) => !used.has(name));
  if (unknown !== undefined) {
    throw new PreambleError(
      'model_unsupported',
      `The GGUF file has a tensor ${JSON.stringify(unknown)}, unknown to ${config.architecture}.`,
      {
        action: "Use the model's original Hugging Face files.",
      },
    );
  }
  return steps;
}

async function* convert(file: FileHandle, step: Step, headDim: number): AsyncGenerator<Uint8Array> {
  const { tensor, dequantizer, interleaved } = step;
  const { blockSize, bytesPerBlock, dequantize } = dequantizer;
  // A bias is a column: one value a row.
  const [rows = 1, rowLength = 1] = step.shape;
  const rowsAtOnce = interleaved ? headDim : Math.max(1, Math.floor(CHUNK_VALUES / rowLength));
  const rowBytes = (rowLength / blockSize) * bytesPerBlock;
  const blocks = new Uint8Array(Math.min(rows, rowsAtOnce) * rowBytes);
  const values = new Float32Array(Math.min(rows, rowsAtOnce) * rowLength);
  const halves = new Uint16Array(values.length);
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    const input = blocks.subarray(0, count * rowBytes);
    const chunk = values.subarray(0, count * rowLength);
    await readOrThrow(file, input, tensor.offset + row * rowBytes);
    dequantize(input, chunk);
    if (interleaved) encodeHead(chunk, halves, headDim, rowLength);
    else encodeBf16(chunk, halves);
    yield new Uint8Array(halves.buffer, 0, chunk.length * Uint16Array.BYTES_PER_ELEMENT);
  }
}

/** Row 2i + j of a head in GGUF is row j headDim/2 + i in Hugging Face: ggml rotates neighbours, transformers the two halves. */
function encodeHead(head: Float32Array, into: Uint16Array, headDim: number, rowLength: number): void {
  for (let row = 0; row < headDim; row++) {
    const target = (row % 2) * (headDim / 2) + Math.floor(row / 2);
    const source = head.subarray(row * rowLength, (row + 1) * rowLength);
    encodeBf16(source, into.subarray(target * rowLength, (target + 1) * rowLength));
  }
}

async function readOrThrow(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  if (!(await readExactly(file, into, position))) throw invalid('it ended while being read');
}

function invalid(what: string): PreambleError {
  return new PreambleError('format_invalid', `The GGUF file cannot be converted: ${what}.`, {
    action: 'Fetch or convert the file again.',
  });
}
