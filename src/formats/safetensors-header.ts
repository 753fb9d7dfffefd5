import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import { findDuplicateJsonKey } from './duplicate-json-keys.ts';
import { quoteName } from './quote-name.ts';

/** Bytes that one element takes, for each dtype of the format that is a whole number of bytes. */
export const safetensorsDtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const satisfies Record<string, number>;

export type SafetensorsDtype = keyof typeof safetensorsDtypeBytes;

export interface TensorLocation {
  dtype: SafetensorsDtype;
  shape: number[];
  /** First byte of the tensor, counted from the start of the file. */
  offset: number;
  /** Bytes. */
  length: number;
}

export interface SafetensorsHeader {
  tensors: ReadonlyMap<string, TensorLocation>;
  metadata: Record<string, string>;
}

/** Bytes of the little-endian uint64 in front of the header that says how long the header is. */
export const LENGTH_PREFIX_BYTES = 8;
/** One entry takes about 120 bytes: room for 130,000 tensors in one file, while what JSON.parse may allocate stays bounded. */
export const MAX_HEADER_BYTES = 16 * 1024 * 1024;
/** Weights have at most 4 dimensions, convolutions 5. */
const MAX_DIMENSIONS = 8;

const headerSchema = Compile(Type.Record(Type.String(), Type.Unknown()));
const metadataSchema = Compile(Type.Record(Type.String(), Type.String()));
const entrySchema = Compile(
  Type.Object({
    dtype: Type.String(),
    shape: Type.Array(Type.Number()),
    data_offsets: Type.Tuple([Type.Number(), Type.Number()]),
  }),
);

/**
 * Parses and checks the JSON header of a safetensors file: every tensor's bytes lie inside the file, agree with its dtype and shape,
 * and together they cover the data exactly, without gap or overlap (the format's own rules).
 * `json` is the header without its length prefix, `fileSize` the whole file's size in bytes, `file` its name for messages.
 * Throws `format_invalid`.
 */
export function parseSafetensorsHeader(json: Uint8Array, fileSize: number, file: string): SafetensorsHeader {
  const header = parseJson(json, file);
  const dataStart = LENGTH_PREFIX_BYTES + json.length;
  const tensors = new Map<string, TensorLocation>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!metadataSchema.Check(value)) throw invalid(file, '__metadata__ is not a map from text to text');
      metadata = value;
    } else {
      tensors.set(name, parseEntry(name, value, dataStart, file));
    }
  }
  checkCoverage(tensors, dataStart, fileSize, file);
  return { tensors, metadata };
}

export function invalid(file: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${file} is not a valid safetensors file: ${what}.`, {
    action: 'Fetch or make the file again.',
    cause,
  });
}

function parseJson(bytes: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(file, 'its header is not JSON', error);
  }
  if (!headerSchema.Check(parsed)) throw invalid(file, 'its header is not a JSON object');
  const duplicate = findDuplicateJsonKey(text);
  if (duplicate !== null) throw invalid(file, `its header holds the key ${quoteName(duplicate)} twice`);
  return parsed;
}

function isDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(safetensorsDtypeBytes, name);
}

function parseEntry(name: string, value: unknown, dataStart: number, file: string): TensorLocation {
  const quoted = `tensor ${quoteName(name)}`;
  if (!entrySchema.Check(value)) throw invalid(file, `${quoted} lacks a well-formed dtype, shape or data_offsets`);
  const {
    dtype,
    shape,
    data_offsets: [begin, end],
  } = value;
  if (!isDtype(dtype)) throw invalid(file, `${quoted} has the unknown dtype ${quoteName(dtype)}`);
  if (shape.length > MAX_DIMENSIONS) throw invalid(file, `${quoted} has ${shape.length} dimensions`);
  if (![...shape, begin, end].every((number) => Number.isSafeInteger(number) && number >= 0)) {
    throw invalid(file, `${quoted} has a size or offset that is not a whole number from 0 up`);
  }
  const expected = byteLength(dtype, shape);
  if (!Number.isSafeInteger(expected)) throw invalid(file, `${quoted} has a shape too large to address`);
  if (end - begin !== expected) {
    throw invalid(file, `${quoted} takes ${end - begin} bytes, but its dtype and shape need ${expected}`);
  }
  return { dtype, shape, offset: dataStart + begin, length: expected };
}

/** Bytes of a tensor of `shape`. */
export function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, safetensorsDtypeBytes[dtype]);
}

function checkCoverage(tensors: Map<string, TensorLocation>, dataStart: number, fileSize: number, file: string): void {
  const inFileOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  let end = dataStart;
  for (const [name, { offset, length }] of inFileOrder) {
    if (offset < end) throw invalid(file, `tensor ${quoteName(name)} overlaps another`);
    if (offset > end) throw invalid(file, `${offset - end} bytes in front of tensor ${quoteName(name)} belong to none`);
    end = offset + length;
  }
  if (end > fileSize) throw invalid(file, `it is cut short: ${fileSize} bytes of ${end}`);
  if (end < fileSize) throw invalid(file, `${fileSize - end} bytes at its end belong to no tensor`);
}
