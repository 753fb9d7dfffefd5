import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { PreambleError, toError } from '../../errors.ts';
import { checkSizes, type FileProblem, modelDirectory, type Provenance, readProvenance } from '../provenance.ts';
import { writingTo } from './file-errors.ts';

/** Where fetched models live: `models/<entry>` are whole, `staging/` holds what is being fetched, `locks/` who fetches. */
export interface ModelCache {
  root: string;
  /** `models/<entry>`, there or not. */
  entry(name: string): string;
  /** A folder for unfinished work; `key` tells apart what must not mix, as two revisions. */
  staging(name: string, key: string): string;
  lock(name: string): string;
}

export interface CachedModel {
  /** The name it is asked for by. */
  name: string;
  /** The folder with its record. */
  record: string;
  /** The folder with its files. */
  directory: string;
  provenance: Provenance;
  /** Empty when all is there. */
  problems: FileProblem[];
}

/** One folder level, no dot in front: nothing that leads out of the cache. A hub id's slash becomes `--`, as in the hub's own cache. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$/;

export function openCache(environment: NodeJS.ProcessEnv = process.env): ModelCache {
  const chosen = environment['PREAMBLE_CACHE'];
  const root = chosen ? resolve(chosen) : envPaths('preamble', { suffix: '' }).cache;
  return {
    root,
    entry: (name) => join(root, 'models', folderName(name)),
    staging: (name, key) => join(root, 'staging', `${folderName(name)}@${key}`),
    lock: (name) => join(root, 'locks', `${folderName(name)}.lock`),
  };
}

export function isModelName(name: string): boolean {
  return NAME.test(name);
}

function folderName(name: string): string {
  if (!isModelName(name)) {
    throw new PreambleError('model_not_found', `"${name.slice(0, 80)}" is not a model name.`, {
      action: 'Names have letters, digits, dots, dashes and underscores, and at most one slash.',
    });
  }
  return name.replace('/', '--');
}

/** The model of that name with what is wrong with it, null where it was never fetched. */
export async function findCached(cache: ModelCache, name: string): Promise<CachedModel | null> {
  const record = cache.entry(name);
  const provenance = await readProvenance(record);
  if (provenance === null) return null;
  const directory = modelDirectory(record, provenance);
  return { name, record, directory, provenance, problems: await checkSizes(directory, provenance.files) };
}

export interface CacheListing {
  models: CachedModel[];
  /** Entries whose record cannot be read. */
  broken: { name: string; error: Error }[];
}

/** Everything in the cache, in the order of its names. */
export async function listCached(cache: ModelCache): Promise<CacheListing> {
  const folders = await readdir(join(cache.root, 'models')).catch((): string[] => []);
  const listing: CacheListing = { models: [], broken: [] };
  for (const folder of folders.sort()) {
    const name = folder.replace('--', '/');
    if (!isModelName(name)) continue;
    try {
      const model = await findCached(cache, name);
      if (model !== null) listing.models.push(model);
    } catch (error) {
      listing.broken.push({ name, error: toError(error) });
    }
  }
  return listing;
}

/** Makes the folders and finds out whether they can be written. Throws `file_unwritable`. */
export async function prepareCache(cache: ModelCache): Promise<void> {
  await writingTo(cache.root, async () => {
    for (const folder of ['models', 'staging', 'locks']) await mkdir(join(cache.root, folder), { recursive: true });
  });
}

/** Takes an entry out in one step, then deletes it: a kill in between leaves no half model. */
export async function removeEntry(cache: ModelCache, name: string): Promise<void> {
  const grave = cache.staging(name, `removed-${process.pid}-${Date.now()}`);
  await writingTo(cache.root, async () => {
    await rename(cache.entry(name), grave);
    await rm(grave, { recursive: true, force: true });
  });
}

/** Deletes what unfinished or replaced work left behind for this model. */
export async function clearStaging(cache: ModelCache, name: string): Promise<void> {
  const prefix = basename(cache.staging(name, ''));
  const folder = join(cache.root, 'staging');
  const left = (await readdir(folder).catch((): string[] => [])).filter((file) => file.startsWith(prefix));
  for (const file of left) await rm(join(folder, file), { recursive: true, force: true });
}
