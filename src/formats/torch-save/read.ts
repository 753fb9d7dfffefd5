import { basename } from 'node:path';
import { readExactly, withFile } from '../file-ranges.ts';
import { quoteName } from '../quote-name.ts';
import { fileOf, readArchive, refuseOthers } from './archive.ts';
import { type DenseTensor, elementBytes, invalidTorchSave, MAX_TENSOR_BYTES } from './dense-tensor.ts';
import { readPickle } from './pickle-read.ts';
import { isKind, type PickleValue, type StoredTensor } from './pickle-values.ts';

/** The largest tensor, and what stands around it. */
export const MAX_FILE_BYTES = MAX_TENSOR_BYTES + 2 ** 20;
/** How torch.save began before 1.6: a pickle of the number 0x1950a86a20f9469cfc6c. */
const LEGACY_START = Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex');

export interface SavedTensor {
  /** The key that it had in a dict; null where it was saved by itself. */
  readonly name: string | null;
  readonly tensor: DenseTensor;
}

/** Reads a file of `torch.save`, as `decodeTorchSave` does. Throws `file_unreadable` or `format_invalid`. */
export async function readTorchSave(path: string): Promise<SavedTensor> {
  const name = basename(path);
  return await withFile(path, async (file, size) => {
    checkSize(size, name);
    const bytes = new Uint8Array(size);
    if (!(await readExactly(file, bytes, 0))) throw invalidTorchSave(name, 'it ended while being read');
    return decodeTorchSave(bytes, name);
  });
}

/**
 * The one matrix, BF16, F16 or F32, that `torch.save` (1.13 to 2.15) wrote by itself or as the only value of a dict. It may be some rows of
 * a larger storage. Nothing else is accepted, and no code is run: what the pickle describes is read as data. The bytes are a view of
 * `bytes`. `path` is named in errors. Throws `format_invalid`.
 */
export function decodeTorchSave(bytes: Uint8Array, path: string): SavedTensor {
  checkSize(bytes.length, path);
  if (Buffer.compare(bytes.subarray(0, LEGACY_START.length), LEGACY_START) === 0) {
    throw invalidTorchSave(path, 'it has the format from before torch 1.6');
  }
  const files = readArchive(bytes, path);
  const { name, stored } = onlyTensor(readPickle(fileOf(files, 'data.pkl', path), path), path);
  const storageFile = `data/${stored.storage.key}`;
  const storage = fileOf(files, storageFile, path);
  refuseOthers(files, storageFile, path);
  return { name, tensor: viewOf(stored, storage, path) };
}

function checkSize(size: number, path: string): void {
  if (size > MAX_FILE_BYTES) throw invalidTorchSave(path, `it has ${size} bytes, the most is ${MAX_FILE_BYTES}`);
}

function onlyTensor(value: PickleValue, path: string): { name: string | null; stored: StoredTensor } {
  if (isKind(value, 'tensor')) return { name: null, stored: value };
  const entries = isKind(value, 'dict') ? [...value.entries] : [];
  const [entry] = entries;
  if (entries.length > 1) {
    const keys = entries.map(([key]) => key).join(', ');
    throw invalidTorchSave(path, `it holds ${entries.length} values (${quoteName(keys)}), not one tensor`);
  }
  if (entry === undefined || !isKind(entry[1], 'tensor')) throw invalidTorchSave(path, 'it holds no tensor');
  return { name: entry[0], stored: entry[1] };
}

/** The tensor's part of its storage, once all that is said of both agrees. */
function viewOf({ storage, offset, shape, strides }: StoredTensor, data: Uint8Array, path: string): DenseTensor {
  const [rows, columns] = shape;
  if (shape.length !== 2) throw invalidTorchSave(path, `its tensor has ${shape.length} dimensions, not 2`);
  if (!rows || !columns) throw invalidTorchSave(path, 'its tensor is empty');
  // The stride of a dimension that has one element is never used, and torch writes anything there.
  const [rowStride, columnStride] = strides;
  const isContiguous = (rows === 1 || rowStride === columns) && (columns === 1 || columnStride === 1);
  if (strides.length !== 2 || !isContiguous) {
    throw invalidTorchSave(path, 'its rows do not follow each other: the tensor is not contiguous');
  }
  const bytes = elementBytes[storage.dtype];
  if (storage.elements * bytes !== data.length) {
    throw invalidTorchSave(
      path,
      `its storage has ${data.length} bytes, but is said to hold ${storage.elements} values`,
    );
  }
  if (offset + rows * columns > storage.elements) {
    throw invalidTorchSave(path, `its shape [${rows}, ${columns}] reaches beyond its ${storage.elements} values`);
  }
  const view = data.subarray(offset * bytes, (offset + rows * columns) * bytes);
  return { dtype: storage.dtype, rows, columns, bytes: view };
}
