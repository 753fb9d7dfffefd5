import type { FileHandle } from 'node:fs/promises';

/** All of `bytes` at `position`, or where the last write ended: a write may take a part only. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number | null = null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at);
    done += bytesWritten;
  }
}

/** Pieces that should make `expected` bytes. Returns how many they had; what is too much is not written. */
export async function writePieces(
  file: FileHandle,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: number,
): Promise<number> {
  let written = 0;
  for await (const piece of pieces) {
    written += piece.length;
    if (written <= expected) await writeAll(file, piece);
  }
  return written;
}
