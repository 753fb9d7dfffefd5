import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { PreambleError } from '../errors.ts';
import { quoteName } from './quote-name.ts';
import { byteLength, LENGTH_PREFIX_BYTES, type SafetensorsDtype, safetensorsDtypeBytes } from './safetensors-header.ts';
import { writeAll, writePieces } from './write-all.ts';

export interface SafetensorsEntry {
  name: string;
  dtype: SafetensorsDtype;
  shape: readonly number[];
  /** Called once, when the tensor's turn comes; yields its bytes, row-major and little-endian, in pieces of any size. */
  bytes: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The header is padded so that the data starts at a multiple of this many bytes, which the widest dtype needs. */
const DATA_ALIGNMENT = 8;

/**
 * Writes a safetensors file, one piece at a time, under a temporary name that becomes `path` only once it is whole and on disk.
 * Tensors are ordered by element size, widest first, so that each lies aligned. A `bytes` that yields more or less than its shape
 * needs rejects. Throws `file_unwritable`.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ordered = [...entries].sort((a, b) => safetensorsDtypeBytes[b.dtype] - safetensorsDtypeBytes[a.dtype]);
  const temporary = `${path}.${randomUUID()}.partial`;
  try {
    await using file = await open(temporary, 'wx');
    await writeAll(file, headerBytes(ordered, metadata));
    for (const entry of ordered) await writeEntry(file, entry);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw unwritable(path, error);
  }
  await rename(temporary, path).catch(async (error) => {
    await rm(temporary, { force: true });
    throw unwritable(path, error);
  });
}

function headerBytes(entries: readonly SafetensorsEntry[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set('__metadata__', metadata);
  let offset = 0;
  for (const { name, dtype, shape } of entries) {
    if (header.has(name) || name === '__metadata__') {
      throw new PreambleError('internal', `Two tensors are named ${quoteName(name)}.`);
    }
    const end = offset + byteLength(dtype, shape);
    header.set(name, { dtype, shape, data_offsets: [offset, end] });
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const bytes = Buffer.alloc(LENGTH_PREFIX_BYTES + Math.ceil(json.length / DATA_ALIGNMENT) * DATA_ALIGNMENT, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - LENGTH_PREFIX_BYTES));
  bytes.set(json, LENGTH_PREFIX_BYTES);
  return bytes;
}

async function writeEntry(file: FileHandle, entry: SafetensorsEntry): Promise<void> {
  const expected = byteLength(entry.dtype, entry.shape);
  const written = await writePieces(file, entry.bytes(), expected);
  if (written !== expected) {
    throw new PreambleError(
      'internal',
      `Tensor ${quoteName(entry.name)} gave ${written} bytes, its shape needs ${expected}.`,
    );
  }
}

/** A system error (full disk, no permission) becomes a PreambleError; anything else is the producer's own and passes. */
function unwritable(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new PreambleError('file_unwritable', `Cannot write ${path}: ${error.message}.`, {
    action: 'Check the free space and the permissions of its directory.',
    cause: error,
  });
}
