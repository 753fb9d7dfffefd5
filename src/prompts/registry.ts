import { realpath } from 'node:fs/promises';
import { PreambleError } from '../errors.ts';
import { readManifest, readPromptTensor, toSoftPrompt } from './artifact.ts';
import { invalidPrompt, manifestDigest, type PromptManifest } from './manifest.ts';
import { isStable, newestFirst, parsePromptReference, promptLabel, quote } from './name.ts';
import { findVersionDirectories, type VersionDirectory } from './scan.ts';
import type { StoredSoftPrompt } from './soft-prompt.ts';
import type { PromptTensor } from './tensor.ts';

/** One version that was found; its rows are read when they are first asked for. */
export interface PromptVersion {
  readonly name: string;
  readonly version: string;
  /** `name@version` */
  readonly label: string;
  readonly digest: string;
  readonly directory: string;
  readonly manifest: PromptManifest;
  /** The checked rows, read once. Throws `file_unreadable`, `digest_mismatch`, `prompt_invalid`. */
  load(): Promise<StoredSoftPrompt>;
}

export interface BrokenPrompt {
  readonly name: string;
  readonly version: string;
  readonly label: string;
  readonly directory: string;
  readonly error: PreambleError;
}

export interface PromptRegistry {
  /** By name, newest version first. */
  readonly versions: readonly PromptVersion[];
  readonly broken: readonly BrokenPrompt[];
  /**
   * `name` (its highest stable version, else its highest) or `name@version`. A broken version is never passed over for an older one.
   * Throws `prompt_not_found`, or what is wrong with the version.
   */
  resolve(reference: string): PromptVersion;
}

/** Reads the manifests below `directories` (not their tensors). Throws `file_unreadable` for a directory that is not there. */
export async function openPromptRegistry(directories: readonly string[]): Promise<PromptRegistry> {
  const versions: PromptVersion[] = [];
  const broken: BrokenPrompt[] = [];
  const seen = new Set<string>();
  for (const root of directories) {
    for (const found of await findVersionDirectories(root)) {
      const real = await realpath(found.directory);
      if (seen.has(real)) continue;
      seen.add(real);
      try {
        addVersion(versions, await openVersion(found));
      } catch (error) {
        if (!(error instanceof PreambleError)) throw error;
        broken.push({ ...found, label: promptLabel(found.name, found.version), error });
      }
    }
  }
  versions.sort(byNameThenNewest);
  return { versions, broken, resolve: (reference) => resolveIn(reference, versions, broken) };
}

async function openVersion(found: VersionDirectory): Promise<PromptVersion> {
  const { directory, name, version } = found;
  const manifest = await readManifest(directory);
  if (manifest.name !== name || manifest.version !== version) {
    const says = promptLabel(manifest.name, manifest.version);
    throw invalidPrompt(directory, `its manifest says ${says}, its place says ${promptLabel(name, version)}`);
  }
  return promptVersion(manifest, directory, () => readPromptTensor(directory, manifest));
}

/** A version of which the manifest has been read; `read` fetches its checked tensor. */
export function promptVersion(
  manifest: PromptManifest,
  directory: string,
  read: () => Promise<PromptTensor>,
): PromptVersion {
  const { name, version } = manifest;
  let rows: Promise<StoredSoftPrompt> | undefined;
  return {
    name,
    version,
    label: promptLabel(name, version),
    digest: manifestDigest(manifest),
    directory,
    manifest,
    load() {
      rows ??= read()
        .then((tensor) => toSoftPrompt(manifest, tensor))
        .catch((error: unknown) => {
          // A fault may pass (too many open files): the next caller tries again.
          rows = undefined;
          throw error;
        });
      return rows;
    },
  };
}

/** The same version in two directories is one if it is the same; otherwise nobody could say which was meant. */
function addVersion(versions: PromptVersion[], version: PromptVersion): void {
  const other = versions.find((candidate) => candidate.label === version.label);
  if (other === undefined) versions.push(version);
  else if (other.digest !== version.digest) {
    throw new PreambleError(
      'prompt_invalid',
      `${version.label} is in ${other.directory} and, with other content, in ${version.directory}.`,
      { action: 'Remove one of them, or give one a new version.' },
    );
  }
}

interface Named {
  readonly name: string;
  readonly version: string;
}

/** For `sort`. */
export function byNameThenNewest(a: Named, b: Named): number {
  return a.name === b.name ? newestFirst(a.version, b.version) : a.name < b.name ? -1 : 1;
}

function resolveIn(
  reference: string,
  versions: readonly PromptVersion[],
  broken: readonly BrokenPrompt[],
): PromptVersion {
  const { name, version } = parsePromptReference(reference);
  const named = [...broken, ...versions].filter((candidate) => candidate.name === name).sort(byNameThenNewest);
  const found =
    version === null
      ? (named.find((candidate) => isStable(candidate.version)) ?? named[0])
      : named.find((candidate) => candidate.version === version);
  if (found === undefined) throw notFound(reference, named, versions);
  // A broken twin of a sound version is listed first among equals, and so found here.
  if ('error' in found) throw found.error;
  return found;
}

function notFound(reference: string, named: readonly Named[], versions: readonly PromptVersion[]): PreambleError {
  const there =
    named.length > 0
      ? named.map((candidate) => promptLabel(candidate.name, candidate.version))
      : [...new Set(versions.map((candidate) => candidate.name))];
  const list = there.length === 0 ? 'There are none' : `There are: ${there.slice(0, 20).join(', ')}`;
  return new PreambleError('prompt_not_found', `There is no prompt ${quote(reference)}. ${list}.`, {
    action: 'Name one of these, or add its directory (promptDirectories, --prompts).',
  });
}
