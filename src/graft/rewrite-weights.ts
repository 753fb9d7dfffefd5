import { chmod, constants, copyFile, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { PreambleError } from '../errors.ts';
import { readAhead, readExactly, withFile } from '../formats/file-ranges.ts';
import {
  byteLength,
  readSafetensorsHeader,
  type SafetensorsEntry,
  type TensorLocation,
  writeSafetensors,
} from '../formats/safetensors.ts';
import { writeAll } from '../formats/write-all.ts';

/** Bytes read at a time: memory stays at this, whatever the tensor. */
const CHUNK_BYTES = 4 * 2 ** 20;
const OWNER_WRITES = 0o200;

/** A matrix with other bytes in some rows, and more rows. */
export interface ChangedRows {
  /** Rows afterwards. */
  readonly rows: number;
  /** By row, each as long as the matrix' rows. */
  readonly changed: ReadonlyMap<number, Uint8Array>;
  /** What rows beyond the old end hold where `changed` says nothing; zeros unless given. */
  readonly filler?: Uint8Array;
}

export interface WeightChanges {
  readonly tensors: ReadonlyMap<string, ChangedRows>;
  /** A matrix that comes new, beginning as a copy of another. */
  readonly added: ReadonlyMap<string, { readonly from: string; readonly rows: ChangedRows }>;
}

/**
 * Copies a safetensors file with changes. Where every tensor keeps its place the kernel copies it and only the changed rows are written again;
 * otherwise it goes through memory piece by piece. `onBytes` counts what was written. Throws `format_invalid`, `file_unwritable`.
 */
export async function rewriteWeights(
  source: string,
  target: string,
  changes: WeightChanges,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  const { tensors, metadata } = await readSafetensorsHeader(source);
  if (addedBytes(tensors, changes) === 0) return await overwriteRows(source, target, { tensors, changes, onBytes });
  const entries: SafetensorsEntry[] = [];
  for (const [name, location] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset)) {
    entries.push(entry(source, name, location, changes.tensors.get(name), onBytes));
  }
  for (const [name, { from, rows }] of changes.added) {
    const location = tensors.get(from);
    if (location === undefined) throw new PreambleError('internal', `${source} has no tensor ${from}.`);
    entries.push(entry(source, name, location, rows, onBytes));
  }
  await writeSafetensors(target, entries, metadata);
}

/** A copy of the file with other bytes in rows that are there already. */
async function overwriteRows(
  source: string,
  target: string,
  {
    tensors,
    changes,
    onBytes,
  }: { tensors: ReadonlyMap<string, TensorLocation>; changes: WeightChanges; onBytes: (bytes: number) => void },
): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  // a copy has the source's permissions, and models are often kept from being written
  await chmod(target, (await stat(target)).mode | OWNER_WRITES);
  await using file = await open(target, 'r+');
  for (const [name, { changed }] of changes.tensors) {
    const location = tensors.get(name);
    if (location === undefined) continue;
    const rowBytes = location.length / (location.shape[0] ?? 1);
    for (const [row, bytes] of changed) await writeAll(file, bytes, location.offset + row * rowBytes);
  }
  onBytes((await file.stat()).size);
}

/** Bytes that the file takes more than before. */
export function addedBytes(tensors: ReadonlyMap<string, TensorLocation>, changes: WeightChanges): number {
  let bytes = 0;
  for (const [name, { rows }] of changes.tensors) {
    const location = tensors.get(name);
    if (location !== undefined) bytes += shapeWith(location, rows).bytes - location.length;
  }
  for (const { from, rows } of changes.added.values()) {
    const location = tensors.get(from);
    if (location !== undefined) bytes += shapeWith(location, rows.rows).bytes;
  }
  return bytes;
}

function shapeWith({ dtype, shape }: TensorLocation, rows: number): { shape: number[]; bytes: number } {
  const changed = [rows, ...shape.slice(1)];
  return { shape: changed, bytes: byteLength(dtype, changed) };
}

function entry(
  source: string,
  name: string,
  location: TensorLocation,
  change: ChangedRows | undefined,
  onBytes: (bytes: number) => void,
): SafetensorsEntry {
  const { dtype, shape } = location;
  const pieces = change === undefined ? readPieces(source, location) : changedPieces(source, location, change);
  return {
    name,
    dtype,
    shape: change === undefined ? shape : shapeWith(location, change.rows).shape,
    async *bytes() {
      for await (const piece of pieces) {
        yield piece;
        onBytes(piece.length);
      }
    },
  };
}

/** The old rows with the changed ones in their places, then the new ones. */
async function* changedPieces(
  source: string,
  location: TensorLocation,
  change: ChangedRows,
): AsyncGenerator<Uint8Array> {
  const oldRows = location.shape[0] ?? 0;
  const rowBytes = location.length / oldRows;
  yield* replaceRows(readPieces(source, location), rowBytes, change.changed);
  const filler = change.filler ?? new Uint8Array(rowBytes);
  for (let row = oldRows; row < change.rows; row++) yield change.changed.get(row) ?? filler;
}

/** A matrix' bytes in pieces of any size, with other bytes in some rows. Changes the pieces in place. */
export async function* replaceRows(
  pieces: AsyncIterable<Uint8Array>,
  rowBytes: number,
  rows: ReadonlyMap<number, Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const ordered = [...rows].sort(([a], [b]) => a - b);
  let start = 0;
  for await (const piece of pieces) {
    for (const [row, bytes] of ordered) {
      const at = row * rowBytes - start;
      if (at >= piece.length) break;
      if (at + rowBytes <= 0) continue;
      piece.set(bytes.subarray(Math.max(0, -at), Math.min(rowBytes, piece.length - at)), Math.max(0, at));
    }
    start += piece.length;
    yield piece;
  }
}

/** A tensor's bytes, or its first `length`. The array is used again for the piece after the next. */
export async function* readPieces(
  path: string,
  { offset, length }: Pick<TensorLocation, 'offset' | 'length'>,
): AsyncGenerator<Uint8Array> {
  await using file = await open(path, 'r');
  let read = 0;
  for await (const piece of readAhead(file, { position: offset, length, pieceBytes: CHUNK_BYTES })) {
    read += piece.length;
    yield piece;
  }
  if (read < length) throw cutShort(path);
}

/** The bytes of some rows of a matrix, one after the other. */
export async function readRows(
  path: string,
  location: Pick<TensorLocation, 'offset' | 'length' | 'shape'>,
  rows: readonly number[],
): Promise<Uint8Array> {
  const rowBytes = location.length / (location.shape[0] ?? 1);
  const bytes = new Uint8Array(rows.length * rowBytes);
  await withFile(path, async (file) => {
    for (const [index, row] of rows.entries()) {
      const piece = bytes.subarray(index * rowBytes, (index + 1) * rowBytes);
      if (!(await readExactly(file, piece, location.offset + row * rowBytes))) throw cutShort(path);
    }
  });
  return bytes;
}

function cutShort(path: string): PreambleError {
  return new PreambleError('format_invalid', `${basename(path)} ended while being read.`, {
    action: 'Fetch the model again.',
  });
}
