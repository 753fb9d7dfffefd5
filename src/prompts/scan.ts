import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PreambleError, toError } from '../errors.ts';
import { MANIFEST_FILE, TENSOR_FILE } from './manifest.ts';
import { isPromptName, isPromptVersion, MAX_NAME_SEGMENTS } from './name.ts';

export interface VersionDirectory {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
}

/**
 * Every `<root>/<name>/<version>/` that holds a part of an artifact. Symbolic links are followed (Kubernetes mounts volumes through them); the
 * depth is that of a name. Hidden and otherwise named directories are no prompts. Throws `file_unreadable` if `root` cannot be listed.
 */
export async function findVersionDirectories(root: string): Promise<VersionDirectory[]> {
  const found: VersionDirectory[] = [];
  const visit = async (segments: readonly string[]): Promise<void> => {
    const entries = await list(join(root, ...segments), segments.length === 0);
    for (const entry of entries) {
      const path = [...segments, entry];
      const directory = join(root, ...path);
      if (segments.length > 0 && isPromptVersion(entry) && (await holdsPart(directory))) {
        found.push({ name: segments.join('/'), version: entry, directory });
      } else if (path.length <= MAX_NAME_SEGMENTS && isPromptName(entry)) {
        await visit(path);
      }
    }
  };
  await visit([]);
  return found;
}

async function list(directory: string, isRoot: boolean): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (!isRoot) return [];
    throw new PreambleError('file_unreadable', `Cannot list the prompts in ${directory}: ${toError(error).message}.`, {
      action: 'Check the path (promptDirectories, --prompts).',
      cause: error,
    });
  }
}

/** One of the two files is enough: a version that lost the other should be reported, not overlooked. */
async function holdsPart(directory: string): Promise<boolean> {
  const files = await readdir(directory).catch((): string[] => []);
  return files.includes(MANIFEST_FILE) || files.includes(TENSOR_FILE);
}
