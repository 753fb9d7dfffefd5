import { crc32 } from 'node:zlib';
import { DIRECTORY_END, DIRECTORY_ENTRY, LOCAL_HEADER, STORED } from './zip-layout.ts';

export interface ZipFile {
  readonly name: string;
  readonly data: Uint8Array;
}

interface PlacedFile {
  name: Buffer;
  data: Uint8Array;
  crc: number;
  /** Where the local header starts. */
  start: number;
  /** Where the data starts. */
  dataStart: number;
}

/** As torch does: storages that lie so can be used from a memory map without a copy. */
const DATA_ALIGNMENT = 64;
/** The extra field that torch fills up with: its id, the letters FB, and its length. */
const PADDING_ID = 0x4246;
const PADDING_HEADER_BYTES = 4;
/** PKZIP 1.0: nothing but stored files. */
const VERSION_NEEDED = 10;
/** 1980-01-01, the first day that the format knows: the same content makes the same bytes whenever it is written. */
const NO_DATE = 0x0021;

/**
 * A zip archive of stored files, each one's data at a multiple of 64 bytes. Sizes and CRC-32 stand in the local headers too, so that a
 * reader may go from front to back.
 */
export function writeStoredZip(files: readonly ZipFile[]): Uint8Array {
  const placed: PlacedFile[] = [];
  let end = 0;
  for (const file of files) {
    const name = Buffer.from(file.name);
    const earliest = end + LOCAL_HEADER.bytes + name.length + PADDING_HEADER_BYTES;
    const dataStart = Math.ceil(earliest / DATA_ALIGNMENT) * DATA_ALIGNMENT;
    placed.push({ name, data: file.data, crc: crc32(file.data), start: end, dataStart });
    end = dataStart + file.data.length;
  }
  const directoryBytes = placed.reduce((sum, { name }) => sum + DIRECTORY_ENTRY.bytes + name.length, 0);
  const bytes = Buffer.alloc(end + directoryBytes + DIRECTORY_END.bytes);
  let at = end;
  for (const file of placed) {
    writeLocalHeader(bytes, file);
    bytes.set(file.data, file.dataStart);
    at = writeDirectoryEntry(bytes, at, file);
  }
  bytes.writeUInt32LE(DIRECTORY_END.signature, at);
  bytes.writeUInt16LE(placed.length, at + 8);
  bytes.writeUInt16LE(placed.length, at + 10);
  bytes.writeUInt32LE(directoryBytes, at + 12);
  bytes.writeUInt32LE(end, at + 16);
  return bytes;
}

function writeLocalHeader(bytes: Buffer, { name, data, crc, start, dataStart }: PlacedFile): void {
  const extraStart = start + LOCAL_HEADER.bytes + name.length;
  bytes.writeUInt32LE(LOCAL_HEADER.signature, start);
  bytes.writeUInt16LE(VERSION_NEEDED, start + 4);
  bytes.writeUInt16LE(STORED, start + 8);
  bytes.writeUInt16LE(NO_DATE, start + 12);
  bytes.writeUInt32LE(crc, start + 14);
  bytes.writeUInt32LE(data.length, start + 18);
  bytes.writeUInt32LE(data.length, start + 22);
  bytes.writeUInt16LE(name.length, start + 26);
  bytes.writeUInt16LE(dataStart - extraStart, start + 28);
  bytes.set(name, start + LOCAL_HEADER.bytes);
  bytes.writeUInt16LE(PADDING_ID, extraStart);
  bytes.writeUInt16LE(dataStart - extraStart - PADDING_HEADER_BYTES, extraStart + 2);
  bytes.fill('Z', extraStart + PADDING_HEADER_BYTES, dataStart);
}

/** The position behind the entry. */
function writeDirectoryEntry(bytes: Buffer, at: number, { name, data, crc, start }: PlacedFile): number {
  bytes.writeUInt32LE(DIRECTORY_ENTRY.signature, at);
  bytes.writeUInt16LE(VERSION_NEEDED, at + 4);
  bytes.writeUInt16LE(VERSION_NEEDED, at + 6);
  bytes.writeUInt16LE(STORED, at + 10);
  bytes.writeUInt16LE(NO_DATE, at + 14);
  bytes.writeUInt32LE(crc, at + 16);
  bytes.writeUInt32LE(data.length, at + 20);
  bytes.writeUInt32LE(data.length, at + 24);
  bytes.writeUInt16LE(name.length, at + 28);
  bytes.writeUInt32LE(start, at + 42);
  bytes.set(name, at + DIRECTORY_ENTRY.bytes);
  return at + DIRECTORY_ENTRY.bytes + name.length;
}
