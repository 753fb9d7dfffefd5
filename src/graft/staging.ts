import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import lockfile from 'proper-lockfile';
import { PreambleError, toError } from '../errors.ts';
import { systemCode } from '../model/obtain/file-errors.ts';

/** A directory that is being written beside its place, and goes on where a killed run left off. */
export interface Staging {
  readonly directory: string;
  /** Makes a file unless it is there already, whole. `make` writes to the path that it is given. */
  file(name: string, make: (path: string) => Promise<void>): Promise<void>;
  /** What an earlier run found out, or what `find` does; kept as JSON until the end. */
  remembered<Value>(
    name: string,
    isValue: (value: unknown) => value is Value,
    find: () => Promise<Value>,
  ): Promise<Value>;
  /** Bytes of the files that an earlier run left. */
  bytesThere(): Promise<number>;
}

/** Notes of an unfinished run, within the staging directory. */
const NOTES = '.notes';
/** A holder that was killed stops renewing; after this long, in milliseconds, the next one takes over. */
const STALE_MS = 10_000;
const RENEW_MS = 3_000;
/** What a file is called while it is written. */
const UNFINISHED = /\.part(?:ial)?$/;
/** Left free on the disk, in bytes: records and directories. */
const SPARE_BYTES = 16 * 2 ** 20;

/**
 * Runs `work` on a staging directory beside `target`, then renames it there: `target` is there whole or not at all. `key` tells apart what must not
 * mix. Throws `file_unwritable`.
 */
export async function withStaging(
  target: string,
  key: string,
  work: (staging: Staging) => Promise<void>,
): Promise<void> {
  const place = resolve(target);
  const prefix = `.${basename(place)}.`;
  const directory = join(dirname(place), `${prefix}${key}.partial`);
  await writing(place, async () => {
    await assertFree(place);
    await mkdir(join(directory, NOTES), { recursive: true });
    await whileLocked(directory, place, async () => {
      const staging = createStaging(directory);
      try {
        await work(staging);
      } catch (error) {
        // nothing worth going on with: a refusal leaves no trace
        if ((await readdir(directory)).every((name) => name === NOTES)) await rm(directory, { recursive: true });
        throw error;
      }
      await rm(join(directory, NOTES), { recursive: true });
      await syncDirectory(directory);
      await rename(directory, place);
      await syncDirectory(dirname(place));
    });
    await removeOthers(dirname(place), prefix);
  });
}

/** Runs `work` while no other process holds the lock of `path`; a killed one's is taken over. `place` is named in errors. Throws `file_unwritable`. */
export async function whileLocked(path: string, place: string, work: () => Promise<void>): Promise<void> {
  const release = await lock(path, place);
  try {
    await work();
  } finally {
    await release().catch(() => undefined);
  }
}

/** Throws `file_unwritable` where the disk below `target` has less than `bytes` free. */
export async function assertDiskHolds(target: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(await nearestDirectory(resolve(target)));
  const free = bavail * bsize;
  if (free >= bytes + SPARE_BYTES) return;
  throw new PreambleError(
    'file_unwritable',
    `The disk for ${target} has ${gigabytes(free)} free, and ${gigabytes(bytes + SPARE_BYTES)} are needed.`,
    { action: 'Free space there, or give an --out on another disk.' },
  );
}

async function nearestDirectory(path: string): Promise<string> {
  const stats = await stat(path).catch(() => null);
  return stats?.isDirectory() || dirname(path) === path ? path : await nearestDirectory(dirname(path));
}

/** Names the place where something stands that is not ours to replace. */
async function assertFree(place: string): Promise<void> {
  const present = await readdir(place).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  if (present.length > 0) {
    throw new PreambleError('file_unwritable', `${place} is not empty.`, {
      action: 'Name a new directory with --out.',
    });
  }
}

function createStaging(directory: string): Staging {
  return {
    directory,
    async file(name, make) {
      const path = join(directory, name);
      if ((await stat(path).catch(() => null)) !== null) return;
      await mkdir(dirname(path), { recursive: true });
      const part = `${path}.${randomUUID().slice(0, 8)}.part`;
      try {
        await make(part);
        await syncFile(part);
        await rename(part, path);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    async remembered(name, isValue, find) {
      const path = join(directory, NOTES, name);
      const text = await readFile(path, 'utf8').catch(() => null);
      const noted: unknown = text === null ? null : JSON.parse(text);
      if (text !== null && isValue(noted)) return noted;
      const value = await find();
      await writeFile(`${path}.part`, JSON.stringify(value), { flush: true });
      await rename(`${path}.part`, path);
      return value;
    },
    async bytesThere() {
      let bytes = 0;
      for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
        const path = join(entry.parentPath, entry.name);
        // what a killed run did not finish is of no use to this one, which holds the lock
        if (entry.isFile() && UNFINISHED.test(entry.name)) await rm(path);
        else if (entry.isFile()) bytes += await ownBytes(path);
      }
      return bytes;
    },
  };
}

/** A hard link takes nothing. */
async function ownBytes(path: string): Promise<number> {
  const { size, nlink } = await stat(path);
  return nlink > 1 ? 0 : size;
}

async function lock(directory: string, place: string): Promise<() => Promise<void>> {
  try {
    return await lockfile.lock(directory, {
      realpath: false,
      lockfilePath: `${directory}.lock`,
      stale: STALE_MS,
      update: RENEW_MS,
      retries: { retries: 2, minTimeout: STALE_MS / 2 },
    });
  } catch (error) {
    if (systemCode(error) !== 'ELOCKED') throw error;
    throw new PreambleError('file_unwritable', `Another process is writing ${place}.`, {
      action: 'Wait for it.',
      cause: error,
    });
  }
}

/** What runs with other settings began and did not finish. */
async function removeOthers(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix) || !name.endsWith('.partial')) continue;
    const isHeld = await lockfile.check(join(parent, name), {
      realpath: false,
      lockfilePath: join(parent, `${name}.lock`),
    });
    if (!isHeld) await rm(join(parent, name), { recursive: true, force: true });
  }
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}

async function writing(place: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof PreambleError || code === undefined) throw error;
    throw new PreambleError('file_unwritable', `Cannot write ${place}: ${toError(error).message}.`, {
      action: 'Check the free space and the permissions; the same command goes on where it stopped.',
      cause: error,
    });
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1)} GB`;
}
