import { invalidTorchSave } from './dense-tensor.ts';
import { DIRECTORY_END, ZIP64_END, ZIP64_LOCATOR } from './zip-layout.ts';

export interface ZipDirectory {
  count: number;
  /** Where its first entry starts, which is where the files end. */
  start: number;
  /** Where its last entry ends. */
  end: number;
}

/** For one tensor torch 2.15 writes 7 files. */
const MAX_FILES = 16;
/** A field with this value says that the real one stands elsewhere, in 64 bits. */
const ELSEWHERE_16 = 0xffff;
const ELSEWHERE_32 = 0xffffffff;

/** Where the directory lies: all the way to its end record, which is the file's last and holds no comment. */
export function findDirectory(view: DataView, path: string): ZipDirectory {
  const at = view.byteLength - DIRECTORY_END.bytes;
  if (at < 0 || view.getUint32(at, true) !== DIRECTORY_END.signature || view.getUint16(at + 20, true) !== 0) {
    throw invalidTorchSave(path, 'it is no zip archive, is cut short, or goes on behind its end');
  }
  const disks = view.getUint32(at + 4, true);
  const countHere = view.getUint16(at + 8, true);
  const count = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 12, true);
  const start = view.getUint32(at + 16, true);
  if (count === ELSEWHERE_16 || size === ELSEWHERE_32 || start === ELSEWHERE_32) {
    throw invalidTorchSave(path, 'it needs zip64, which is for larger files than are read');
  }
  if (disks !== 0 || countHere !== count) throw invalidTorchSave(path, 'it is one part of several');
  if (count > MAX_FILES) {
    throw invalidTorchSave(path, `it holds ${count} files, where one tensor takes fewer than ${MAX_FILES}`);
  }
  const end = at - zip64Bytes(view, at, { count, size, start }, path);
  if (start + size !== end) throw invalidTorchSave(path, 'its directory lies elsewhere than its end says');
  return { count, start, end };
}

/** torch always writes the end in 64 bits too. Then both must say the same. */
function zip64Bytes(
  view: DataView,
  at: number,
  said: { count: number; size: number; start: number },
  path: string,
): number {
  const locator = at - ZIP64_LOCATOR.bytes;
  const record = locator - ZIP64_END.bytes;
  if (locator < 0 || view.getUint32(locator, true) !== ZIP64_LOCATOR.signature) return 0;
  const agrees =
    record >= 0 &&
    view.getUint32(record, true) === ZIP64_END.signature &&
    view.getBigUint64(record + 4, true) === BigInt(ZIP64_END.bytes - 12) &&
    view.getBigUint64(record + 16, true) === 0n &&
    view.getBigUint64(record + 24, true) === BigInt(said.count) &&
    view.getBigUint64(record + 32, true) === BigInt(said.count) &&
    view.getBigUint64(record + 40, true) === BigInt(said.size) &&
    view.getBigUint64(record + 48, true) === BigInt(said.start) &&
    view.getUint32(locator + 4, true) === 0 &&
    view.getBigUint64(locator + 8, true) === BigInt(record);
  if (!agrees) throw invalidTorchSave(path, 'its zip64 end record says another thing than its end record');
  return ZIP64_LOCATOR.bytes + ZIP64_END.bytes;
}
