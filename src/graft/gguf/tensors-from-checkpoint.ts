import { join } from 'node:path';
import { PreambleError } from '../../errors.ts';
import { ggmlTypes } from '../../formats/gguf/tensor-types.ts';
import type { GgufEntry } from '../../formats/gguf-write.ts';
import { decodeBf16, decodeF16 } from '../../formats/half-precision.ts';
import { quantize } from '../../formats/quantize/quantizers.ts';
import type { Checkpoint, CheckpointTensor } from '../../model/checkpoint.ts';
import type { RopeScaling } from '../../model/config.ts';
import { ggufName, isInterleaved } from '../../model/convert/tensor-names.ts';
import { expectedTensors } from '../../model/expected-tensors.ts';
import { readPieces } from '../rewrite-weights.ts';

/** Values converted at a time. */
const CHUNK_VALUES = 2 ** 19;

export type MatrixType = 'F16' | 'Q8_0';

/** Every weight of a checkpoint as a GGUF file holds it: matrices in `type` where their rows are whole blocks, the others as float32. */
export function tensorsFromCheckpoint(checkpoint: Checkpoint, type: MatrixType): GgufEntry[] {
  const { config } = checkpoint;
  const entries: GgufEntry[] = [];
  for (const [name, shape] of expectedTensors(config)) {
    const held = shape.length === 1 ? 'F32' : (shape.at(-1) ?? 0) % ggmlTypes[type].elements === 0 ? type : 'F16';
    const rows = isInterleaved(name, config) ? config.headDim : null;
    const source = checkpoint.tensor(name);
    entries.push({
      name: ggufName(name),
      type: held,
      shape,
      bytes: () => converted(checkpoint.directory, source, rows, (values) => quantize(values, held)),
    });
  }
  const factors = ropeFactors(config);
  if (factors !== null) {
    entries.push({
      name: 'rope_freqs.weight',
      type: 'F32',
      shape: [factors.length],
      bytes: () => [quantize(factors, 'F32')],
    });
  }
  return entries;
}

async function* converted(
  directory: string,
  tensor: CheckpointTensor,
  headRows: number | null,
  encode: (values: Float32Array) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  const [rows = 1, width = 1] = tensor.shape;
  const rowBytes = tensor.length / rows;
  const rowsAtOnce = headRows ?? Math.max(1, Math.floor(CHUNK_VALUES / width));
  const values = new Float32Array(Math.min(rows, rowsAtOnce) * width);
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - row);
    const bytes = new Uint8Array(count * rowBytes);
    let at = 0;
    const span = { offset: tensor.offset + row * rowBytes, length: bytes.length };
    for await (const piece of readPieces(join(directory, tensor.file), span)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    const chunk = values.subarray(0, count * width);
    decode(tensor, bytes, chunk);
    yield encode(headRows === null ? chunk : interleaved(chunk, headRows, width));
  }
}

/** Row j headDim/2 + i of a head becomes row 2i + j. */
function interleaved(head: Float32Array, headDim: number, width: number): Float32Array {
  const turned = new Float32Array(head.length);
  for (let row = 0; row < headDim; row++) {
    const source = (row % 2) * (headDim / 2) + Math.floor(row / 2);
    turned.set(head.subarray(source * width, (source + 1) * width), row * width);
  }
  return turned;
}

function decode({ dtype }: CheckpointTensor, bytes: Uint8Array, into: Float32Array): void {
  if (dtype === 'bfloat16') decodeBf16(new Uint16Array(bytes.buffer), into);
  else if (dtype === 'float16') decodeF16(new Uint16Array(bytes.buffer), into);
  else if (dtype === 'float32') into.set(new Float32Array(bytes.buffer));
  else throw new PreambleError('model_unsupported', `A weight of the checkpoint is ${dtype}, which GGUF cannot take.`);
}

/** Of llama3's scaling GGUF holds the factor of each frequency. `[headDim / 2]` */
function ropeFactors(config: { headDim: number; ropeTheta: number; ropeScaling: RopeScaling }): Float32Array | null {
  const { headDim, ropeTheta, ropeScaling } = config;
  if (ropeScaling.kind !== 'llama3') return null;
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions } = ropeScaling;
  return Float32Array.from({ length: headDim / 2 }, (_, index) => {
    const wavelength = 2 * Math.PI * ropeTheta ** ((2 * index) / headDim);
    const smooth =
      (originalMaxPositions / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    const between = Math.min(1, Math.max(0, smooth));
    return 1 / ((1 - between) / factor + between);
  });
}
