import { quoteName } from '../quote-name.ts';
import { createCursor, type GgufCursor, invalidGguf } from './cursor.ts';
import type { GgufMetadata } from './metadata.ts';
import { parseMetadata } from './parse-metadata.ts';
import { type GgmlType, ggmlTypeOf, ggmlTypes } from './tensor-types.ts';

export interface GgufTensor {
  type: GgmlType;
  /** Row-major, as Hugging Face writes it: the last dimension is the contiguous one (GGUF stores them the other way round). */
  shape: number[];
  /** First byte of the tensor, counted from the start of the file. */
  offset: number;
  /** Bytes. */
  length: number;
}

export interface GgufHeader {
  metadata: GgufMetadata;
  tensors: ReadonlyMap<string, GgufTensor>;
}

const MAGIC = 0x46554747; // "GGUF"
/** The largest mixture-of-experts models have about 10,000. */
const MAX_TENSORS = 131_072;
/** GGML_MAX_NAME. */
const MAX_TENSOR_NAME_BYTES = 64;
/** GGML_MAX_DIMS. */
const MAX_DIMENSIONS = 4;
/** Of one dimension: 2^32 rows are far beyond any vocabulary. */
const MAX_DIMENSION = 2 ** 32;
/** Bytes; ggml's own is 32. */
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 65_536;

/**
 * Parses the header of a GGUF file, version 2 or 3, little-endian. `bytes` are the file's first bytes, `fileSize` its whole size in
 * bytes, `file` its name for messages. As in ggml, each tensor starts where the one before it ends, rounded up to the alignment:
 * so none overlap and none lie outside. Throws `format_invalid`.
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number, file: string): GgufHeader {
  const cursor = createCursor(bytes, file);
  if (cursor.uint32() !== MAGIC) throw invalidGguf(file, 'it does not start with "GGUF"');
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) throw invalidGguf(file, `${describeVersion(version)}, supported are 2 and 3`);
  const tensorCount = cursor.count(MAX_TENSORS, 'the number of tensors');
  const keyCount = cursor.count(Number.MAX_SAFE_INTEGER, 'the number of metadata keys');
  const metadata = parseMetadata(cursor, keyCount, file);
  const alignment = readAlignment(metadata, file);

  const declared = Array.from({ length: tensorCount }, () => parseTensor(cursor, file));
  const dataStart = roundUp(cursor.position, alignment);
  const tensors = new Map<string, GgufTensor>();
  let end = dataStart;
  for (const { name, tensor, relativeOffset } of declared) {
    if (tensors.has(name)) throw invalidGguf(file, `two tensors are named ${quoteName(name)}`);
    const start = roundUp(end, alignment);
    if (relativeOffset !== BigInt(start - dataStart)) {
      throw invalidGguf(
        file,
        `tensor ${quoteName(name)} is said to start at ${relativeOffset}, not at ${start - dataStart}`,
      );
    }
    end = start + tensor.length;
    if (end > fileSize) {
      throw invalidGguf(file, `it is cut short: tensor ${quoteName(name)} ends at byte ${end} of ${fileSize}`);
    }
    tensors.set(name, { ...tensor, offset: start });
  }
  return { metadata, tensors };
}

function parseTensor(cursor: GgufCursor, file: string) {
  const name = cursor.text(MAX_TENSOR_NAME_BYTES, 'a tensor name');
  const dimensions = cursor.uint32();
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw invalidGguf(file, `tensor ${quoteName(name)} has ${dimensions} dimensions`);
  }
  const sizes = Array.from({ length: dimensions }, () =>
    cursor.count(MAX_DIMENSION, `a dimension of tensor ${quoteName(name)}`),
  );
  const typeId = cursor.uint32();
  const type = ggmlTypeOf(typeId);
  if (type === undefined) throw invalidGguf(file, `tensor ${quoteName(name)} has the unknown type ${typeId}`);
  const relativeOffset = cursor.uint64();
  const length = tensorBytes(type, sizes);
  if (length === undefined) {
    throw invalidGguf(file, `tensor ${quoteName(name)} has a shape that does not fit its type ${type}`);
  }
  return { name, tensor: { type, shape: sizes.reverse(), length }, relativeOffset };
}

/** Bytes of a tensor whose first size is the contiguous one; undefined if rows are no whole number of blocks, or it cannot be addressed. */
function tensorBytes(type: GgmlType, sizes: readonly number[]): number | undefined {
  const { elements, bytes } = ggmlTypes[type];
  const [rowLength = 0] = sizes;
  if (rowLength % elements !== 0) return undefined;
  const total = sizes.reduce((product, size) => product * size, bytes / elements);
  return Number.isSafeInteger(total) ? total : undefined;
}

function readAlignment(metadata: GgufMetadata, file: string): number {
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  const isPowerOfTwo =
    typeof alignment === 'number' &&
    Number.isInteger(alignment) &&
    alignment > 0 &&
    alignment <= MAX_ALIGNMENT &&
    (alignment & (alignment - 1)) === 0;
  if (!isPowerOfTwo) throw invalidGguf(file, `general.alignment is not a power of two up to ${MAX_ALIGNMENT}`);
  return alignment;
}

function roundUp(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}

/** The version of a big-endian file, read as little-endian, has its low 16 bits clear. */
function describeVersion(version: number): string {
  return version !== 0 && (version & 0xffff) === 0 ? 'it is big-endian' : `it has format version ${version}`;
}
