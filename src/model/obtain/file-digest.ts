import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { PreambleError } from '../../errors.ts';
import { readAhead } from '../../formats/file-ranges.ts';
import type { ByteProgress } from './events.ts';
import { systemCode } from './file-errors.ts';

/** Large reads keep the hash busy; two of these are nothing beside a model. A stream would allocate each anew, faster than they are collected. */
const READ_BYTES = 2 * 2 ** 20;

/** SHA-256 of a file, or of its bytes from `start` on, `length` of them, as 64 hex digits. Streams. Throws `file_unreadable`. */
export async function sha256OfFile(
  path: string,
  options: {
    start?: number;
    length?: number;
    onProgress?: (done: number) => void;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<string> {
  const { start = 0, length = Number.POSITIVE_INFINITY, onProgress, signal } = options;
  const hash = createHash('sha256');
  if (length === 0) return hash.digest('hex');
  let done = 0;
  try {
    await using file = await open(path, 'r');
    const there = Math.max(0, (await file.stat()).size - start);
    const range = { position: start, length: Math.min(length, there), pieceBytes: READ_BYTES };
    for await (const chunk of readAhead(file, range)) {
      signal?.throwIfAborted();
      hash.update(chunk);
      done += chunk.length;
      onProgress?.(done);
    }
  } catch (error) {
    const code = systemCode(error);
    if (signal?.aborted || code === undefined) throw error;
    throw new PreambleError('file_unreadable', `Cannot read ${path} (${code}).`, {
      action: 'Check the path and its permissions.',
      cause: error,
    });
  }
  return hash.digest('hex');
}

/** Joins the progress of several files, one after another, into one. */
export function accumulate(
  onProgress: ByteProgress | undefined,
  total: number,
): { next(size: number): (done: number) => void } {
  let before = 0;
  return {
    next(size) {
      const start = before;
      before += size;
      return (done) => onProgress?.(start + done, total);
    },
  };
}
