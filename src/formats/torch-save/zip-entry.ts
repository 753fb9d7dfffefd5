import { quoteName } from '../quote-name.ts';
import { invalidTorchSave } from './dense-tensor.ts';
import type { ZipDirectory } from './zip-directory.ts';
import { DATA_DESCRIPTOR, DIRECTORY_ENTRY, LOCAL_HEADER, STORED } from './zip-layout.ts';

/** What the directory says of one file. */
export interface ZipEntry {
  name: string;
  nameBytes: Uint8Array;
  flags: number;
  crc: number;
  size: number;
  /** Where the local header starts. */
  start: number;
  /** Where the next entry of the directory starts. */
  next: number;
}

/** A folder, which torch names after the saved file, and the longest name in it. */
const MAX_NAME_BYTES = 512;
const ENCRYPTED = 1 << 0;
/** Sizes and CRC-32 follow the data; in the local header they are zero. torch writes so. */
const HAS_DESCRIPTOR = 1 << 3;
const UTF8_NAME = 1 << 11;

/** The entry at byte `at`. Throws `format_invalid`. */
export function readEntry(view: DataView, at: number, directory: ZipDirectory, path: string): ZipEntry {
  const room = directory.end - at - DIRECTORY_ENTRY.bytes;
  if (room < 0 || view.getUint32(at, true) !== DIRECTORY_ENTRY.signature) {
    throw invalidTorchSave(path, 'its directory ends before its last entry');
  }
  const nameLength = view.getUint16(at + 28, true);
  if (nameLength > Math.min(room, MAX_NAME_BYTES)) throw invalidTorchSave(path, 'a name in its directory is too long');
  const nameBytes = bytesAt(view, at + DIRECTORY_ENTRY.bytes, nameLength);
  const name = readName(nameBytes, path);
  const file = quoteName(name);
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 24, true);
  if ((flags & ENCRYPTED) !== 0) throw invalidTorchSave(path, `${file} is encrypted`);
  if ((flags & ~(HAS_DESCRIPTOR | UTF8_NAME)) !== 0) throw invalidTorchSave(path, `${file} has unknown flags`);
  if (method !== STORED) throw invalidTorchSave(path, `${file} is compressed, and torch.save compresses nothing`);
  if (view.getUint32(at + 20, true) !== size) throw invalidTorchSave(path, `${file} has two sizes`);
  // The lengths of extra field (where zip64 keeps its sizes) and comment, and the part of the archive that it is in.
  if (view.getUint32(at + 30, true) !== 0 || view.getUint16(at + 34, true) !== 0) {
    throw invalidTorchSave(path, `${file} has zip64 sizes, another extra field or a comment in the directory`);
  }
  return {
    name,
    nameBytes,
    flags,
    crc: view.getUint32(at + 16, true),
    size,
    start: view.getUint32(at + 42, true),
    next: at + DIRECTORY_ENTRY.bytes + nameLength,
  };
}

function readName(bytes: Uint8Array, path: string): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalidTorchSave(path, 'a name in it is not UTF-8', error);
  }
  const isPlain = !/[\p{Cc}\\]/u.test(name) && name.split('/').every((part) => !['', '.', '..'].includes(part));
  if (!isPlain) throw invalidTorchSave(path, `the name ${quoteName(name)} in it is a path trick`);
  return name;
}

/** Where the entry's data start. Its local header must say what the directory says, or nothing where the sizes follow the data. */
export function readLocalHeader(view: DataView, entry: ZipEntry, directory: ZipDirectory, path: string): number {
  const { start, nameBytes, flags, crc, size } = entry;
  const file = quoteName(entry.name);
  const nameStart = start + LOCAL_HEADER.bytes;
  const extraStart = nameStart + nameBytes.length;
  if (extraStart > directory.start || view.getUint32(start, true) !== LOCAL_HEADER.signature) {
    throw invalidTorchSave(path, `${file} does not lie where the directory says`);
  }
  const isLater = (flags & HAS_DESCRIPTOR) !== 0;
  const agrees =
    view.getUint16(start + 6, true) === flags &&
    view.getUint16(start + 8, true) === STORED &&
    view.getUint32(start + 14, true) === (isLater ? 0 : crc) &&
    view.getUint32(start + 18, true) === (isLater ? 0 : size) &&
    view.getUint32(start + 22, true) === (isLater ? 0 : size) &&
    view.getUint16(start + 26, true) === nameBytes.length &&
    Buffer.compare(bytesAt(view, nameStart, nameBytes.length), nameBytes) === 0;
  if (!agrees) throw invalidTorchSave(path, `the directory says another thing of ${file} than its own header`);
  const dataStart = extraStart + view.getUint16(start + 28, true);
  if (dataStart + size > directory.start) throw invalidTorchSave(path, `${file} reaches into the directory`);
  return dataStart;
}

/** Where the entry ends: behind its data, or behind the descriptor that follows them. */
export function endOf(view: DataView, entry: ZipEntry, dataEnd: number, directory: ZipDirectory, path: string): number {
  if ((entry.flags & HAS_DESCRIPTOR) === 0) return dataEnd;
  const end = dataEnd + DATA_DESCRIPTOR.bytes;
  const agrees =
    end <= directory.start &&
    view.getUint32(dataEnd, true) === DATA_DESCRIPTOR.signature &&
    view.getUint32(dataEnd + 4, true) === entry.crc &&
    view.getUint32(dataEnd + 8, true) === entry.size &&
    view.getUint32(dataEnd + 12, true) === entry.size;
  if (!agrees)
    throw invalidTorchSave(path, `the directory says another thing of ${quoteName(entry.name)} than its end`);
  return end;
}

function bytesAt(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}
