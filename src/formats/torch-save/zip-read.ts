import { crc32 } from 'node:zlib';
import { quoteName } from '../quote-name.ts';
import { invalidTorchSave } from './dense-tensor.ts';
import { findDirectory } from './zip-directory.ts';
import { endOf, readEntry, readLocalHeader } from './zip-entry.ts';

/**
 * The files of a zip archive as torch.save writes it: stored, in the order of the directory, without a gap, an overlap or a byte that
 * belongs to none, so that a reader from the front and one from the directory see the same. `path` is named in errors. The data are views
 * of `bytes`. Not `yauzl`: it believes the directory and looks at no local header, overlap or CRC-32. Throws `format_invalid`.
 */
export function readStoredZip(bytes: Uint8Array, path: string): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = findDirectory(view, path);
  const files = new Map<string, Uint8Array>();
  let at = directory.start;
  let end = 0;
  for (let index = 0; index < directory.count; index++) {
    const entry = readEntry(view, at, directory, path);
    const file = quoteName(entry.name);
    if (files.has(entry.name)) throw invalidTorchSave(path, `it holds ${file} twice`);
    if (entry.start !== end) {
      throw invalidTorchSave(path, `${file} starts at byte ${entry.start}, but what is before it ends at ${end}`);
    }
    const dataStart = readLocalHeader(view, entry, directory, path);
    const data = bytes.subarray(dataStart, dataStart + entry.size);
    if (crc32(data) !== entry.crc) throw invalidTorchSave(path, `${file} is damaged: its CRC-32 is another`);
    files.set(entry.name, data);
    end = endOf(view, entry, dataStart + entry.size, directory, path);
    at = entry.next;
  }
  if (end !== directory.start || at !== directory.end) {
    throw invalidTorchSave(path, 'it holds bytes that belong to none of its files');
  }
  return files;
}
