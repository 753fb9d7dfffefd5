import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddingsDigest } from '../embeddings-digest.ts';
import {
  type ModelFile,
  PROVENANCE_FILE,
  type Provenance,
  type ProvenanceSource,
  writeProvenance,
} from '../provenance.ts';
import { type CachedModel, clearStaging, findCached, type ModelCache, removeEntry } from './cache.ts';
import { byteProgress, type ObtainContext } from './events.ts';
import { accumulate, sha256OfFile } from './file-digest.ts';
import { systemCode, writingTo } from './file-errors.ts';
import type { Fetched } from './hub.ts';

/**
 * Moves a fetched model to its place in the cache: hashes its files, writes its record, has all of it on the disk, then renames the
 * whole folder, so that what stands under `models/` is always complete. Replaces a damaged model of that name.
 */
export async function installFetched(
  cache: ModelCache,
  name: string,
  fetched: Fetched,
  context: ObtainContext,
): Promise<CachedModel> {
  const provenance = await recordModel(fetched.id, fetched.source, fetched.directory, context);
  return await writingTo(cache.root, async () => {
    for (const { name: file } of provenance.files) await syncToDisk(join(fetched.directory, file));
    await writeProvenance(fetched.directory, provenance);
    await syncToDisk(fetched.directory);
    await replaceEntry(cache, name, fetched.directory);
    await clearStaging(cache, name);
    return { name, record: cache.entry(name), directory: cache.entry(name), provenance, problems: [] };
  });
}

/** Records a directory that stays where it is, under a name of its own. */
export async function installDirectory(
  cache: ModelCache,
  name: string,
  id: string,
  directory: string,
  context: ObtainContext,
): Promise<CachedModel> {
  const provenance = await recordModel(id, { kind: 'directory', path: directory }, directory, context);
  return await writingTo(cache.root, async () => {
    const record = cache.staging(name, 'record');
    await rm(record, { recursive: true, force: true });
    await mkdir(record, { recursive: true });
    await writeProvenance(record, provenance);
    await replaceEntry(cache, name, record);
    return { name, record: cache.entry(name), directory, provenance, problems: [] };
  });
}

async function recordModel(
  id: string,
  source: ProvenanceSource,
  directory: string,
  context: ObtainContext,
): Promise<Provenance> {
  return {
    format: 'preamble.model/1',
    id,
    source,
    files: await describeFiles(directory, id, context),
    embeddingsSha256: await embeddingsDigest(directory),
    obtained: new Date().toISOString(),
  };
}

/** Size and SHA-256 of every file that lies directly in a directory, in the order of their names. */
async function describeFiles(directory: string, id: string, context: ObtainContext): Promise<ModelFile[]> {
  const names = (await readdir(directory, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && /^[A-Za-z0-9_]/.test(entry.name) && !entry.name.endsWith('.part'))
    .map((entry) => entry.name)
    .filter((name) => name !== PROVENANCE_FILE)
    .sort();
  const sized = await Promise.all(
    names.map(async (name) => ({ name, size: (await stat(join(directory, name))).size })),
  );
  const total = sized.reduce((sum, file) => sum + file.size, 0);
  const progress = accumulate(byteProgress(context, 'check', id), total);
  const files: ModelFile[] = [];
  for (const { name, size } of sized) {
    const onProgress = progress.next(size);
    files.push({
      name,
      size,
      sha256: await sha256OfFile(join(directory, name), { onProgress, signal: context.signal }),
    });
  }
  return files;
}

async function replaceEntry(cache: ModelCache, name: string, staged: string): Promise<void> {
  const old = await findCached(cache, name).catch(() => null);
  if (old !== null || (await stat(cache.entry(name)).catch(() => null)) !== null) await removeEntry(cache, name);
  await rename(staged, cache.entry(name));
  await syncToDisk(join(cache.root, 'models'));
}

/** fsync; not every platform can open or sync a directory, and there the rename is as durable as it gets. */
async function syncToDisk(path: string): Promise<void> {
  try {
    await using handle = await open(path, 'r');
    await handle.sync();
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL', 'EACCES'].includes(systemCode(error) ?? '')) throw error;
  }
}
