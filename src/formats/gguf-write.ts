import { open } from 'node:fs/promises';
import { PreambleError } from '../errors.ts';
import { type GgmlType, ggmlTypes } from './gguf/tensor-types.ts';
import { encodeField, encodeText, type GgufField, uint32, uint64 } from './gguf/write-metadata.ts';
import { quoteName } from './quote-name.ts';
import { writeAll, writePieces } from './write-all.ts';

export interface GgufEntry {
  readonly name: string;
  readonly type: GgmlType;
  /** Row-major: the last dimension is the contiguous one. */
  readonly shape: readonly number[];
  /** Called once, when the tensor's turn comes; yields its bytes in pieces of any size. */
  readonly bytes: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface GgufLayout {
  readonly version?: number;
  readonly fields: readonly GgufField[];
  /** Of tensors, in bytes: what `general.alignment` says, or ggml's own 32. */
  readonly alignment?: number;
}

const MAGIC = 'GGUF';
const VERSION = 3;
const ALIGNMENT = 32;

/** Bytes of a tensor. */
export function ggufBytes(type: GgmlType, shape: readonly number[]): number {
  const { elements, bytes } = ggmlTypes[type];
  return shape.reduce((product, size) => product * size, 1) * (bytes / elements);
}

/** What stands before the tensors, padded to their alignment. */
export function ggufHeader(layout: GgufLayout, entries: readonly Omit<GgufEntry, 'bytes'>[]): Uint8Array {
  const { version = VERSION, fields, alignment = ALIGNMENT } = layout;
  const parts: Uint8Array[] = [Buffer.from(MAGIC), uint32(version), uint64(entries.length), uint64(fields.length)];
  parts.push(...fields.map(encodeField));
  let offset = 0;
  for (const { name, type, shape } of entries) {
    parts.push(encodeText(name), uint32(shape.length), ...shape.toReversed().map(uint64));
    parts.push(uint32(ggmlTypes[type].id), uint64(offset));
    offset = roundUp(offset + ggufBytes(type, shape), alignment);
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header], roundUp(header.length, alignment));
}

/** Writes a GGUF file, one piece at a time, to a `path` that must not exist. The caller has it on the disk. Throws the system's error. */
export async function writeGguf(path: string, layout: GgufLayout, entries: readonly GgufEntry[]): Promise<void> {
  await using file = await open(path, 'wx');
  await writeAll(file, ggufHeader(layout, entries));
  for (const entry of entries) {
    const expected = ggufBytes(entry.type, entry.shape);
    const written = await writePieces(file, entry.bytes(), expected);
    if (written !== expected) {
      throw new PreambleError(
        'internal',
        `Tensor ${quoteName(entry.name)} gave ${written} bytes and needs ${expected}.`,
      );
    }
    await writeAll(file, new Uint8Array(roundUp(written, layout.alignment ?? ALIGNMENT) - written));
  }
}

function roundUp(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}
