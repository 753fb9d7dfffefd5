import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PreambleError, toError } from '../errors.ts';
import { readManifest } from './artifact.ts';
import {
  checkManifest,
  MANIFEST_FILE,
  manifestDigest,
  type PromptEvaluation,
  type PromptManifest,
} from './manifest.ts';
import type { PromptVersion } from './registry.ts';

export interface NewEvaluation {
  entries: readonly PromptEvaluation[];
  /** How often the test split was read for them. */
  testSetReads: number;
}

export interface RecordedEvaluation {
  manifest: PromptManifest;
  digest: string;
  /** There was one, and the new content has none. */
  signatureDropped: boolean;
}

export interface RecordOptions {
  /** Applied to the new manifest. */
  sign?: ((manifest: PromptManifest) => PromptManifest) | undefined;
}

/**
 * Writes figures into an artifact's manifest, and gives back what stands there now. An entry takes the place of one of the same set, label and
 * protocol. The manifest's digest is the version's identity, so this makes another identity of it: whoever serves it by digest or has its
 * signature needs the new one. A signature that was there is dropped. Throws `file_unwritable`, `prompt_invalid`.
 */
export async function recordEvaluation(
  { directory }: Pick<PromptVersion, 'directory'>,
  { entries, testSetReads }: NewEvaluation,
  { sign }: RecordOptions = {},
): Promise<RecordedEvaluation> {
  // Read again: another evaluation may have written to it while this one ran.
  const { signature, ...before } = await readManifest(directory);
  const kept = before.evaluation.filter((entry) => !entries.some((next) => isSameMeasurement(entry, next)));
  const reads = (before.testSetReads ?? 0) + testSetReads;
  const changed: PromptManifest = {
    ...before,
    evaluation: [...kept, ...entries],
    ...(reads === 0 ? {} : { testSetReads: reads }),
  };
  const path = join(directory, MANIFEST_FILE);
  const unsigned = checkManifest(changed, path);
  const manifest = sign?.(unsigned) ?? unsigned;
  await replaceFile(directory, path, `${JSON.stringify(manifest, null, 2)}\n`);
  return {
    manifest,
    digest: manifestDigest(manifest),
    signatureDropped: signature !== undefined && manifest.signature === undefined,
  };
}

function isSameMeasurement(a: PromptEvaluation, b: PromptEvaluation): boolean {
  return a.set === b.set && a.label === b.label && a.sampling['protocol'] === b.sampling['protocol'];
}

/** A whole file or the old one: whoever reads it never sees a part. */
async function replaceFile(directory: string, path: string, content: string): Promise<void> {
  const staging = join(directory, `.${MANIFEST_FILE}.${randomUUID()}.partial`);
  try {
    await using file = await open(staging, 'wx');
    await file.writeFile(content);
    await file.sync();
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true }).catch(() => undefined);
    throw new PreambleError('file_unwritable', `Cannot write ${path}: ${toError(error).message}.`, {
      action: 'Copy the prompt to a directory of yours and evaluate it there (--prompts), or leave out --write.',
      cause: error,
    });
  }
}
