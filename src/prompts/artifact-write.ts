import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PreambleError, toError } from '../errors.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { sha256OfFile } from '../model/obtain/file-digest.ts';
import { systemCode } from '../model/obtain/file-errors.ts';
import { readManifest, readPromptTensor } from './artifact.ts';
import {
  checkManifest,
  MANIFEST_FILE,
  MANIFEST_FORMAT,
  manifestDigest,
  type PromptManifest,
  TENSOR_FILE,
} from './manifest.ts';
import { promptLabel } from './name.ts';
import { assertFinite, type PromptTensor, TENSOR_NAME } from './tensor.ts';

/** What its author says of a version; format, time and the tensor's digest are filled in on writing. */
export type PromptContent = Omit<PromptManifest, 'format' | 'created' | 'tensor' | 'signature'>;

export interface WrittenPrompt {
  /** `<root>/<name>/<version>` */
  directory: string;
  manifest: PromptManifest;
  digest: string;
  /** False where the same content was there already. */
  isNew: boolean;
}

export interface WriteOptions {
  /** Applied to the finished manifest. */
  sign?: (manifest: PromptManifest) => PromptManifest;
}

/** A rename onto a directory that exists. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES']);

/**
 * Writes one version below `root`: into a hidden sibling directory, to the disk, then renamed, so that a version is there whole or not at all.
 * A version never changes: the same content (the time of making and the signature aside) is left as it is, other content is refused.
 * Throws `prompt_invalid`, `file_unwritable`.
 */
export async function writePrompt(
  root: string,
  content: PromptContent,
  tensor: PromptTensor,
  options: WriteOptions = {},
): Promise<WrittenPrompt> {
  const label = promptLabel(content.name, content.version);
  assertFinite(tensor, label);
  // Checked before its name becomes a path.
  checkManifest(finish(content, '0'.repeat(64)), label);
  const directory = join(root, content.name, content.version);
  const staging = join(dirname(directory), `.${content.version}.${randomUUID()}.partial`);
  return await writingBelow(root, async () => {
    await mkdir(staging, { recursive: true });
    try {
      const path = join(staging, TENSOR_FILE);
      const { dtype, tokens, hiddenSize, bytes } = tensor;
      await writeSafetensors(path, [{ name: TENSOR_NAME, dtype, shape: [tokens, hiddenSize], bytes: () => [bytes] }]);
      const unsigned = checkManifest(finish(content, await sha256OfFile(path)), label);
      const manifest = options.sign?.(unsigned) ?? unsigned;
      await writeManifest(join(staging, MANIFEST_FILE), manifest);
      if (await exists(directory)) return await sameOrRefused(directory, manifest);
      try {
        await rename(staging, directory);
      } catch (error) {
        if (TAKEN.has(systemCode(error) ?? '') && (await exists(directory))) {
          return await sameOrRefused(directory, manifest);
        }
        throw error;
      }
      return { directory, manifest, digest: manifestDigest(manifest), isNew: true };
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
}

function finish(content: PromptContent, tensorSha256: string): PromptManifest {
  const { name, version, model, position, ...rest } = content;
  return {
    format: MANIFEST_FORMAT,
    name,
    version,
    created: new Date().toISOString(),
    model,
    position,
    tensor: { file: TENSOR_FILE, sha256: tensorSha256 },
    ...rest,
  };
}

async function writeManifest(path: string, manifest: PromptManifest): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
  await file.sync();
}

async function sameOrRefused(directory: string, wanted: PromptManifest): Promise<WrittenPrompt> {
  const manifest = await readManifest(directory);
  await readPromptTensor(directory, manifest);
  const digest = manifestDigest(manifest);
  if (manifestDigest({ ...wanted, created: manifest.created }) === digest) {
    return { directory, manifest, digest, isNew: false };
  }
  const label = promptLabel(wanted.name, wanted.version);
  throw new PreambleError('file_unwritable', `${label} exists already in ${directory}, with other content.`, {
    action: 'A version never changes: give the new content a new version (NAME@VERSION).',
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

async function writingBelow<Result>(root: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof PreambleError || code === undefined) throw error;
    throw new PreambleError('file_unwritable', `Cannot write below ${root}: ${toError(error).message}.`, {
      action: 'Check the free space and the permissions of that directory, or give another with --out.',
      cause: error,
    });
  }
}
