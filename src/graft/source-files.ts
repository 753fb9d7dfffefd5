import { constants, copyFile, link, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../model/obtain/file-errors.ts';
import { PROVENANCE_FILE } from '../model/provenance.ts';

export type CopyMode = 'link' | 'copy';

/** What becomes of each file of a checkpoint's directory. */
export interface SourceFiles {
  /** safetensors files that hold a matrix to change, by name. */
  readonly weights: readonly string[];
  /** Small files that are written anew. */
  readonly edited: readonly string[];
  /** Not taken along: they would speak of other weights. Kept for restoring. */
  readonly withheld: readonly string[];
  readonly unchanged: readonly string[];
  /** Neither taken along nor kept: the same weights in another format, which would be without the graft, and folders. */
  readonly ignored: readonly string[];
}

const EDITED = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'added_tokens.json',
  'model.safetensors.index.json',
]);
const OTHER_WEIGHTS = /\.(?:bin|pt|pth|ckpt|gguf|onnx|h5|msgpack|safetensors|index\.json)$/;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

/** @param shards names of the safetensors files that make up the checkpoint @param changed those of them that change */
export async function sortFiles(
  directory: string,
  shards: ReadonlySet<string>,
  changed: ReadonlySet<string>,
): Promise<SourceFiles> {
  const files = {
    weights: [] as string[],
    edited: [] as string[],
    withheld: [] as string[],
    unchanged: [] as string[],
    ignored: [] as string[],
  };
  for (const name of (await readdir(directory)).sort()) {
    if (!NAME.test(name)) continue;
    const isFile = (await stat(join(directory, name)).catch(() => null))?.isFile() ?? false;
    if (!isFile) files.ignored.push(name);
    else if (changed.has(name)) files.weights.push(name);
    else if (shards.has(name)) files.unchanged.push(name);
    else if (EDITED.has(name)) files.edited.push(name);
    else if (name === PROVENANCE_FILE) files.withheld.push(name);
    else if (OTHER_WEIGHTS.test(name)) files.ignored.push(name);
    else files.unchanged.push(name);
  }
  return files;
}

/** A second name for the same bytes, or a copy: as asked, and where another disk has no links. A symbolic link is followed. */
export async function takeFile(source: string, target: string, mode: CopyMode): Promise<void> {
  const real = await realpath(source);
  if (mode === 'link') {
    try {
      return await link(real, target);
    } catch (error) {
      if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK', 'EACCES'].includes(systemCode(error) ?? '')) throw error;
    }
  }
  // on file systems that can, a copy shares its blocks until one side changes
  await copyFile(real, target, constants.COPYFILE_FICLONE);
}
