import { basename } from 'node:path';
import { readExactly, withFile } from './file-ranges.ts';
import { decodeBf16, decodeF16 } from './half-precision.ts';
import {
  invalid,
  LENGTH_PREFIX_BYTES,
  MAX_HEADER_BYTES,
  parseSafetensorsHeader,
  type SafetensorsDtype,
  type SafetensorsHeader,
  safetensorsDtypeBytes,
  type TensorLocation,
} from './safetensors-header.ts';

export {
  byteLength,
  type SafetensorsHeader,
  type TensorLocation,
} from './safetensors-header.ts';
export { type SafetensorsEntry, writeSafetensors } from './safetensors-write.ts';

/** Elements converted at a time: reading stays within a few megabytes beside the result. */
const CHUNK_ELEMENTS = 2 ** 20;

/** Where each tensor of the file lies. Throws `file_unreadable` or `format_invalid`. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const name = basename(path);
  return await withFile(path, async (file, fileSize) => {
    const prefix = new Uint8Array(LENGTH_PREFIX_BYTES);
    if (!(await readExactly(file, prefix, 0))) throw invalid(name, 'it is shorter than its first field');
    const headerLength = new DataView(prefix.buffer).getBigUint64(0, true);
    if (headerLength > MAX_HEADER_BYTES) {
      throw invalid(name, `it claims a header of ${headerLength} bytes, the most is ${MAX_HEADER_BYTES}`);
    }
    if (LENGTH_PREFIX_BYTES + Number(headerLength) > fileSize) throw invalid(name, 'it ends within its header');
    const json = new Uint8Array(Number(headerLength));
    if (!(await readExactly(file, json, LENGTH_PREFIX_BYTES))) throw invalid(name, 'it ends within its header');
    return parseSafetensorsHeader(json, fileSize, name);
  });
}

/**
 * One tensor as float32, row-major, in the order of its shape. F32 is exact, F16 and BF16 are widened exactly, F64 is rounded.
 * Throws `file_unreadable`, or `format_invalid` for a dtype that holds no floating-point numbers.
 */
export async function readTensor(path: string, location: TensorLocation): Promise<Float32Array> {
  const name = basename(path);
  const decode = decoders[location.dtype];
  if (decode === undefined)
    throw invalid(name, `${location.dtype} weights cannot be read, only F32, F16, BF16 and F64`);
  const elementBytes = safetensorsDtypeBytes[location.dtype];
  const elements = location.length / elementBytes;
  const values = new Float32Array(elements);
  await withFile(path, async (file) => {
    const buffer = new ArrayBuffer(Math.min(elements, CHUNK_ELEMENTS) * elementBytes);
    for (let start = 0; start < elements; start += CHUNK_ELEMENTS) {
      const count = Math.min(CHUNK_ELEMENTS, elements - start);
      const bytes = new Uint8Array(buffer, 0, count * elementBytes);
      if (!(await readExactly(file, bytes, location.offset + start * elementBytes))) {
        throw invalid(name, 'it ended while being read');
      }
      decode(buffer, values.subarray(start, start + count));
    }
  });
  return values;
}

const decoders: Partial<Record<SafetensorsDtype, (bytes: ArrayBuffer, into: Float32Array) => void>> = {
  F32: (bytes, into) => into.set(new Float32Array(bytes, 0, into.length)),
  F16: (bytes, into) => decodeF16(new Uint16Array(bytes, 0, into.length), into),
  BF16: (bytes, into) => decodeBf16(new Uint16Array(bytes, 0, into.length), into),
  F64: (bytes, into) => into.set(new Float64Array(bytes, 0, into.length)),
};
