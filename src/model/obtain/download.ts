import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher, Response } from 'undici';
import { PreambleError } from '../../errors.ts';
import { get, InterruptedError, networkError, UnreachableError } from './http.ts';

/** What a file must be: its size in bytes and its digest, either its own or git's (`blob SIZE\0` in front). */
export interface ExpectedFile {
  name: string;
  size: number;
  digest: { algorithm: 'sha256' | 'git-sha1'; hex: string };
}

export interface Download {
  url: string;
  headers: Record<string, string>;
  /** Where the whole file goes; `<path>.part` holds what has come so far. */
  path: string;
  expected: ExpectedFile;
  dispatcher: Dispatcher;
  signal: AbortSignal | undefined;
  onProgress: (bytes: number) => void;
}

/** Tries without a single new byte before giving up. */
const MAX_FRUITLESS_TRIES = 3;
/** Tries in all: a server that cuts every few bytes must not hold us for ever. */
const MAX_TRIES = 100;
/** Pause before the second try, in milliseconds; doubles. */
const FIRST_PAUSE_MS = 300;
/** A partial file that turned out wrong is thrown away and fetched once more from its start. */
const MAX_WRONG_DIGESTS = 2;
const READ_BYTES = 2 ** 20;

/**
 * Fetches one file: goes on where an earlier try or process stopped, checks size and digest, puts the file on the disk and only then
 * under its own name. Throws UnreachableError before the first byte, `model_unavailable` where the server keeps failing,
 * `digest_mismatch` where it keeps sending other bytes, and the system's error where the file cannot be written.
 */
export async function downloadFile(download: Download): Promise<void> {
  if (await isWhole(download)) return;
  const part = `${download.path}.part`;
  let fruitless = 0;
  let wrong = 0;
  let received = false;
  for (let tries = 1; ; tries++) {
    const before = await sizeOf(part);
    try {
      if (await transfer(download, part)) {
        await rename(part, download.path);
        return;
      }
      await rm(part, { force: true });
      if (++wrong >= MAX_WRONG_DIGESTS) throw wrongBytes(download);
    } catch (error) {
      const advanced = (await sizeOf(part)) > before;
      received ||= advanced;
      fruitless = advanced ? 0 : fruitless + 1;
      const passing = error instanceof InterruptedError || (error instanceof UnreachableError && received);
      if (!passing) throw error;
      if (fruitless >= MAX_FRUITLESS_TRIES || tries >= MAX_TRIES) throw gaveUp(download, error);
      await sleep(FIRST_PAUSE_MS * 2 ** fruitless, undefined, download.signal ? { signal: download.signal } : {});
    }
  }
}

/** One request. True when the file is complete and right, false when it is complete and wrong. */
async function transfer(download: Download, part: string): Promise<boolean> {
  const { expected } = download;
  // 'a+' would append wherever the position is; the position has to be ours, as a server may start over.
  await using file = await open(part, 'r+').catch(() => open(part, 'w+'));
  let offset = (await file.stat()).size;
  if (offset > expected.size) {
    await file.truncate(0);
    offset = 0;
  }
  let hash = startHash(expected);
  await hashExisting(file, offset, hash, download);
  if (offset < expected.size) {
    const response = await request(download, offset);
    const start = startOf(response, offset, download);
    if (start !== offset) {
      await file.truncate(0);
      hash = startHash(expected);
    }
    await receive(download, response, file, start, hash);
  }
  await file.sync();
  return hash.digest('hex') === expected.digest.hex;
}

async function request(download: Download, offset: number): Promise<Response> {
  // Compressed bytes could not be resumed by range.
  const headers: Record<string, string> = { ...download.headers, 'accept-encoding': 'identity' };
  if (offset > 0) headers['range'] = `bytes=${offset}-`;
  return await get(download.url, headers, download.dispatcher, download.signal);
}

/** Where the answer's body begins in the file: 206 at the offset asked for, 200 at 0. RFC 9110, 14.4 and 15.3.7. */
function startOf(response: Response, offset: number, download: Download): number {
  const { size } = download.expected;
  if (response.status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
    const total = range?.[3];
    if (range === null || Number(range[1]) !== offset || (total !== '*' && Number(total) !== size)) {
      throw otherFile(download, response.headers.get('content-range') ?? 'no range');
    }
    return offset;
  }
  if (response.status === 416) throw otherFile(download, 'fewer bytes than are here already');
  const length = response.headers.get('content-length');
  if (length !== null && Number(length) !== size) throw otherFile(download, `${length} bytes`);
  return 0;
}

async function receive(
  download: Download,
  response: Response,
  file: FileHandle,
  start: number,
  hash: Hash,
): Promise<void> {
  const { size } = download.expected;
  const reader = response.body?.getReader();
  let offset = start;
  for (;;) {
    // Only the network's failures are retried; a failed write below goes to the caller as it is.
    const chunk = await reader?.read().catch((error) => {
      if (download.signal?.aborted) throw error;
      throw new InterruptedError(networkError(error, download.url).message, { cause: error });
    });
    if (chunk === undefined || chunk.done) break;
    try {
      if (offset + chunk.value.length > size) throw otherFile(download, `more than ${size} bytes`);
      await writeAll(file, chunk.value, offset);
    } catch (error) {
      await reader?.cancel().catch(() => undefined);
      throw error;
    }
    hash.update(chunk.value);
    offset += chunk.value.length;
    download.onProgress(offset);
  }
  if (offset < size) throw new InterruptedError(`${new URL(download.url).host} sent ${offset} of ${size} bytes`);
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}

async function hashExisting(file: FileHandle, length: number, hash: Hash, download: Download): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  for (let done = 0; done < length; ) {
    download.signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - done), done);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    done += bytesRead;
    download.onProgress(done);
  }
}

function startHash({ size, digest }: ExpectedFile): Hash {
  if (digest.algorithm === 'sha256') return createHash('sha256');
  return createHash('sha1').update(`blob ${size}\0`);
}

/** Left whole by an earlier process that stopped before the next file. */
async function isWhole(download: Download): Promise<boolean> {
  if ((await sizeOf(download.path)) !== download.expected.size) return false;
  await using file = await open(download.path, 'r');
  const hash = startHash(download.expected);
  await hashExisting(file, download.expected.size, hash, download);
  return hash.digest('hex') === download.expected.digest.hex;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

function otherFile({ url, expected }: Download, what: string): PreambleError {
  return new PreambleError(
    'digest_mismatch',
    `${new URL(url).host} offers another ${expected.name}: ${what} instead of ${expected.size}.`,
    {
      action: 'Check HF_ENDPOINT and any proxy in between.',
    },
  );
}

function wrongBytes({ url, expected }: Download): PreambleError {
  return new PreambleError(
    'digest_mismatch',
    `${expected.name} from ${new URL(url).host} is damaged: its digest is not the expected one.`,
    {
      action: 'Check HF_ENDPOINT and any proxy in between.',
    },
  );
}

function gaveUp({ url, expected }: Download, cause: Error): PreambleError {
  return new PreambleError(
    'model_unavailable',
    `${new URL(url).host} keeps breaking off ${expected.name} (${cause.message}).`,
    {
      action: 'Start again later; what has come so far is kept.',
      cause,
    },
  );
}
