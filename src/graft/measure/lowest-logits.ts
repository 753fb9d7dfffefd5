import { join } from 'node:path';
import { PreambleError } from '../../errors.ts';
import { readExactly, withFile } from '../../formats/file-ranges.ts';
import { decodeBf16, decodeF16 } from '../../formats/half-precision.ts';
import { createGraph } from '../../graph/builder.ts';
import { floatData, hostTensor, openSession } from '../../graph/session.ts';
import type { CheckpointTensor } from '../../model/checkpoint.ts';

/** Values of the output matrix that are in memory at a time: 32 MB as float32. */
const CHUNK_VALUES = 2 ** 23;
/** Positions at a time: their logits for a chunk take as much again. */
const STATES_AT_ONCE = 1024;

/**
 * The lowest logit of any real token at each position: `[positions]`. `states` `[positions, hiddenSize]`; `isReal` says which rows of the
 * output matrix are tokens. The matrix is read a piece at a time.
 */
export async function lowestLogits(
  directory: string,
  head: CheckpointTensor,
  states: Float32Array,
  isReal: (row: number) => boolean,
): Promise<Float32Array> {
  const [rows = 0, hiddenSize = 1] = head.shape;
  const positions = states.length / hiddenSize;
  const rowsAtOnce = Math.min(rows, Math.max(1, Math.floor(CHUNK_VALUES / hiddenSize)));
  const lowest = new Float32Array(positions).fill(Number.POSITIVE_INFINITY);
  const session = await openSession(negatedMaximum(Math.min(STATES_AT_ONCE, positions), rowsAtOnce, hiddenSize));
  const statesAtOnce = Math.min(STATES_AT_ONCE, positions);
  await withFile(join(directory, head.file), async (file) => {
    const rowBytes = head.length / rows;
    const bytes = new Uint8Array(rowsAtOnce * rowBytes);
    const values = new Float32Array(rowsAtOnce * hiddenSize);
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - row);
      if (!(await readExactly(file, bytes.subarray(0, count * rowBytes), head.offset + row * rowBytes))) {
        throw new PreambleError('format_invalid', `${head.file} in ${directory} ended while being read.`);
      }
      decode(head.dtype, bytes.subarray(0, count * rowBytes), values.subarray(0, count * hiddenSize));
      if (!replaceOthers(values, hiddenSize, count, (index) => isReal(row + index))) continue;
      for (let at = 0; at < positions; at += statesAtOnce) {
        // the last piece overlaps the one before: positions are only compared
        const start = Math.min(at, positions - statesAtOnce);
        const piece = states.subarray(start * hiddenSize, (start + statesAtOnce) * hiddenSize);
        const results = await session.run({
          states: hostTensor(piece, [statesAtOnce, hiddenSize]),
          rows: hostTensor(values, [rowsAtOnce, hiddenSize]),
        });
        for (const [index, value] of floatData(results, 'negated').entries()) {
          lowest[start + index] = Math.min(lowest[start + index] ?? 0, -value);
        }
      }
    }
  });
  await session.release();
  return lowest;
}

/** max(−states · rowsᵀ) of each state: the graph has a maximum and no minimum. */
function negatedMaximum(states: number, rows: number, hiddenSize: number): Uint8Array {
  const graph = createGraph();
  const x = graph.input('states', [states, hiddenSize], 'float32');
  const weights = graph.input('rows', [rows, hiddenSize], 'float32');
  graph.output(graph.max(graph.matmul(x, weights, { transposeB: true, scale: -1 }), [1]), 'negated');
  return graph.build();
}

/** Puts a real row in the place of each that is none, so that it cannot be the lowest; false where none is real. */
function replaceOthers(
  values: Float32Array,
  hiddenSize: number,
  count: number,
  isReal: (index: number) => boolean,
): boolean {
  const rows = values.length / hiddenSize;
  let real = -1;
  for (let index = 0; index < count && real < 0; index++) if (isReal(index)) real = index;
  if (real < 0) return false;
  for (let index = 0; index < rows; index++) {
    if (index >= count || !isReal(index))
      values.copyWithin(index * hiddenSize, real * hiddenSize, (real + 1) * hiddenSize);
  }
  return true;
}

function decode(dtype: CheckpointTensor['dtype'], bytes: Uint8Array, into: Float32Array): void {
  const { buffer, byteOffset } = bytes;
  if (dtype === 'bfloat16') decodeBf16(new Uint16Array(buffer, byteOffset, into.length), into);
  else if (dtype === 'float16') decodeF16(new Uint16Array(buffer, byteOffset, into.length), into);
  else into.set(new Float32Array(buffer, byteOffset, into.length));
}
