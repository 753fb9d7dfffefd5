import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../model/obtain/file-errors.ts';
import type { ArtifactBytes } from './artifact.ts';
import { MANIFEST_FILE, TENSOR_FILE } from './manifest.ts';

/** A rename onto a directory that exists. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES']);

/**
 * Puts an artifact's two files, byte for byte, into a directory that is there whole or not at all. False where it was there before: then nothing
 * has changed. Throws what the file system throws.
 */
export async function placeArtifact(directory: string, { manifest, tensor }: ArtifactBytes): Promise<boolean> {
  if ((await stat(directory).catch(() => null)) !== null) return false;
  const staging = join(dirname(directory), `.${basename(directory)}.${randomUUID()}.partial`);
  await mkdir(staging, { recursive: true });
  try {
    await write(join(staging, TENSOR_FILE), tensor);
    await write(join(staging, MANIFEST_FILE), manifest);
    await rename(staging, directory);
    return true;
  } catch (error) {
    if (TAKEN.has(systemCode(error) ?? '') && (await stat(directory).catch(() => null)) !== null) return false;
    throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(bytes);
  await file.sync();
}
