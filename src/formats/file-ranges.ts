import { type FileHandle, open } from 'node:fs/promises';
import { PreambleError } from '../errors.ts';

/** libuv reads at most 2^31 - 1 bytes a call. */
const MAX_READ_BYTES = 2 ** 30;

/** Opens `path`, hands it to `use` with its size in bytes, and closes it. Throws `file_unreadable`. */
export async function withFile<Result>(
  path: string,
  use: (file: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  await using file = await open(path, 'r').catch((error) => {
    throw unreadable(path, error);
  });
  const stats = await file.stat();
  if (!stats.isFile()) throw unreadable(path, 'not a regular file');
  return await use(file, stats.size);
}

/** Fills `into` from byte `position` on; false if the file ends before. */
export async function readExactly(file: FileHandle, into: Uint8Array, position: number): Promise<boolean> {
  let done = 0;
  while (done < into.length) {
    const length = Math.min(into.length - done, MAX_READ_BYTES);
    const { bytesRead } = await file.read(into, done, length, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

function unreadable(path: string, cause: unknown): PreambleError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PreambleError('file_unreadable', `Cannot read ${path}: ${reason}.`, {
    action: 'Check the path and its permissions.',
    cause,
  });
}
