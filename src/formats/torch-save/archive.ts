import { quoteName } from '../quote-name.ts';
import { invalidTorchSave } from './dense-tensor.ts';
import { ARCHIVE_VERSION } from './write.ts';
import { readStoredZip } from './zip-read.ts';

/** What torch 1.13 to 2.15 puts beside the tensor; only the first two say anything about it. */
const KNOWN_FILES = [
  'version',
  'byteorder',
  'data.pkl',
  '.format_version',
  '.storage_alignment',
  '.data/serialization_id',
];

/** The archive's files by their names in its one folder, which torch names after the saved file. */
export function readArchive(bytes: Uint8Array, path: string): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const folders = new Set<string>();
  for (const [name, data] of readStoredZip(bytes, path)) {
    const slash = name.indexOf('/');
    folders.add(name.slice(0, Math.max(slash, 0)));
    files.set(name.slice(slash + 1), data);
  }
  if (folders.size > 1 || folders.has('')) throw invalidTorchSave(path, 'its files do not lie in one folder');
  if (Buffer.compare(fileOf(files, 'version', path), Buffer.from(ARCHIVE_VERSION)) !== 0) {
    throw invalidTorchSave(path, 'its version is not 3, which torch.save writes');
  }
  const order = files.get('byteorder');
  if (order !== undefined && Buffer.compare(order, Buffer.from('little')) !== 0) {
    throw invalidTorchSave(path, 'its byte order is not little-endian');
  }
  return files;
}

/** Throws `format_invalid` where there is none. */
export function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string, path: string): Uint8Array {
  const data = files.get(name);
  if (data === undefined) throw invalidTorchSave(path, `it holds no ${name}`);
  return data;
}

/** Throws `format_invalid` where the archive holds more than one tensor takes: another storage, or code. */
export function refuseOthers(files: ReadonlyMap<string, Uint8Array>, storage: string, path: string): void {
  const other = [...files.keys()].find((name) => name !== storage && !KNOWN_FILES.includes(name));
  if (other !== undefined) throw invalidTorchSave(path, `it holds ${quoteName(other)}, which one tensor does not need`);
}
