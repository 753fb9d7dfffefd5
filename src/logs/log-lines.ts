import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PreambleError } from '../errors.ts';

/** A decision has half a kilobyte; with `log.content` a line has a whole conversation. What is longer is no line of ours. */
export const MAX_LINE_BYTES = 16 * 2 ** 20;
const NEWLINE = 0x0a;
const GZIP = [0x1f, 0x8b] as const;

export interface LogSource {
  /** For messages. */
  readonly name: string;
  readonly stream: Readable;
}

/** `-` is standard input. */
export function openLog(path: string, stdin: Readable): LogSource {
  return path === '-' ? { name: 'standard input', stream: stdin } : { name: path, stream: createReadStream(path) };
}

/**
 * Lines of a log, gzipped or not, never more than one of them in memory; null for one that is too long. `onBytes` hears how many bytes were
 * read. Throws `file_unreadable`, also for what ends in the middle of its compression.
 */
export async function* readLines(
  { name, stream }: LogSource,
  onBytes: (count: number) => void,
): AsyncGenerator<string | null> {
  try {
    const first = await firstBytes(stream);
    const zipped = first[0] === GZIP[0] && first[1] === GZIP[1];
    stream.on('data', (chunk: Uint8Array) => onBytes(chunk.length));
    stream.pause();
    yield* split(zipped ? pipeline(stream, createGunzip(), () => {}) : stream);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = 'code' in error ? String(error.code) : error.message;
    throw new PreambleError('file_unreadable', `${name} can't be read to its end (${reason}).`, {
      action: 'Check that it is there and whole.',
      cause: error,
    });
  } finally {
    stream.destroy();
  }
}

/** Looked at and put back. */
async function firstBytes(stream: Readable): Promise<Uint8Array> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    stream.unshift(chunk);
    return chunk;
  }
  return new Uint8Array();
}

async function* split(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string | null> {
  let begun: Uint8Array[] = [];
  let length = 0;
  let tooLong = false;
  const finish = (): string | null => {
    const line = tooLong ? null : Buffer.concat(begun, length).toString('utf8');
    begun = [];
    length = 0;
    tooLong = false;
    return line;
  };
  const keep = (piece: Uint8Array) => {
    length += piece.length;
    tooLong ||= length > MAX_LINE_BYTES;
    if (tooLong) begun = [];
    else begun.push(piece);
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end));
      from = end + 1;
      yield finish();
    }
    keep(chunk.subarray(from));
  }
  if (length > 0) yield finish();
}
