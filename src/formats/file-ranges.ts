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
  return (await readUpTo(file, into, position)) === into.length;
}

/** Fills `into` from byte `position` on, as far as the file goes; gives how many bytes that were. */
async function readUpTo(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const length = Math.min(into.length - done, MAX_READ_BYTES);
    const { bytesRead } = await file.read(into, done, length, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/**
 * `length` bytes of a file from `position` on, or as many as it has, in pieces of `pieceBytes`. The next piece is read while one is used, and there
 * are only two arrays: a piece is overwritten once the one after it has been asked for.
 */
export async function* readAhead(
  file: FileHandle,
  { position, length, pieceBytes }: { position: number; length: number; pieceBytes: number },
): AsyncGenerator<Uint8Array> {
  const [even, odd] = [new Uint8Array(Math.min(length, pieceBytes)), new Uint8Array(Math.min(length, pieceBytes))];
  const read = async (index: number) => {
    const wanted = Math.max(0, Math.min(pieceBytes, length - index * pieceBytes));
    const into = (index % 2 === 0 ? even : odd).subarray(0, wanted);
    return into.subarray(0, await readUpTo(file, into, position + index * pieceBytes));
  };
  let ahead = read(0);
  for (let index = 1; ; index++) {
    const piece = await ahead;
    if (piece.length === 0) return;
    ahead = read(index);
    // who stops asking does not hear of its failure
    ahead.catch(() => {});
    yield piece;
  }
}

function unreadable(path: string, cause: unknown): PreambleError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PreambleError('file_unreadable', `Cannot read ${path}: ${reason}.`, {
    action: 'Check the path and its permissions.',
    cause,
  });
}
