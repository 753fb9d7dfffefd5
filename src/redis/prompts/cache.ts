import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { toError } from '../../errors.ts';
import { openCache } from '../../model/obtain/cache.ts';
import { type ArtifactBytes, readArtifactBytes } from '../../prompts/artifact.ts';
import { placeArtifact } from '../../prompts/artifact-copy.ts';
import { type PromptVersion, promptVersion } from '../../prompts/registry.ts';
import type { Target } from './alias.ts';
import { type CheckedArtifact, checkArtifact } from './artifacts.ts';

const KNOWN_FORMAT = 'preamble.known-prompt/1';

const knownSchema = Type.Object(
  {
    format: Type.Literal(KNOWN_FORMAT),
    reference: Type.String(),
    /** Null: Redis said that nothing is promoted. */
    target: Type.Union([
      Type.Null(),
      Type.Object({ version: Type.String(), digest: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
    ]),
  },
  { additionalProperties: false },
);
const checker = Compile(knownSchema);

/** What a gateway keeps on its own disk of what Redis said, to serve the same after a restart without Redis. */
export interface PromptCache {
  /** Null where it is not there or not what it should be. */
  artifact(digest: string): Promise<PromptVersion | null>;
  keep(digest: string, artifact: CheckedArtifact): Promise<PromptVersion>;
  /** What a reference meant when last served; undefined where nothing is known. */
  recall(reference: string): Promise<Target | null | undefined>;
  remember(reference: string, target: Target | null): Promise<void>;
}

export interface CacheOptions {
  /** Tells apart gateways of one machine that share different servers: what one has promoted is not promoted in the other. */
  readonly space: string;
  onUnwritable(error: Error): void;
  root?: string;
}

/** Below the models' cache: `prompts/artifacts/<digest>/` and `prompts/known/<space>/<reference>.json`. */
export function openPromptCache({ space, onUnwritable, root = openCache().root }: CacheOptions): PromptCache {
  const place = (digest: string) => join(root, 'prompts', 'artifacts', digest);
  const spaceName = createHash('sha256').update(space).digest('hex').slice(0, 16);
  const knownDirectory = join(root, 'prompts', 'known', spaceName);
  // A name's slashes become %2F, so that no two names share a file.
  const knownFile = (reference: string) => join(knownDirectory, `${encodeURIComponent(reference)}.json`);
  let warned = false;

  /** Without a disk everything goes on, until a restart. */
  async function writing(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!warned) onUnwritable(toError(error));
      warned = true;
    }
  }

  async function replaceBroken(directory: string, bytes: ArtifactBytes): Promise<void> {
    if (await placeArtifact(directory, bytes)) return;
    await rm(directory, { recursive: true, force: true });
    await placeArtifact(directory, bytes);
  }

  return {
    async artifact(digest) {
      const directory = place(digest);
      try {
        const { manifest, tensor } = checkArtifact(await readArtifactBytes(directory), digest, directory);
        return promptVersion(manifest, directory, async () => tensor);
      } catch {
        return null;
      }
    },
    async keep(digest, { bytes, manifest, tensor }) {
      const directory = place(digest);
      await writing(() => replaceBroken(directory, bytes));
      return promptVersion(manifest, directory, async () => tensor);
    },
    async recall(reference) {
      const text = await readFile(knownFile(reference), 'utf8').catch(() => null);
      return text === null ? undefined : parseKnown(text, reference)?.target;
    },
    async remember(reference, target) {
      const known: Known = { format: KNOWN_FORMAT, reference, target };
      const file = knownFile(reference);
      const partial = `${file}.${randomUUID()}.partial`;
      await writing(async () => {
        await mkdir(knownDirectory, { recursive: true });
        await writeFile(partial, `${JSON.stringify(known)}\n`, { flush: true });
        await rename(partial, file);
      });
    },
  };
}

type Known = Static<typeof knownSchema>;

function parseKnown(text: string, reference: string): Known | null {
  try {
    const known: unknown = JSON.parse(text);
    return checker.Check(known) && known.reference === reference ? known : null;
  } catch {
    return null;
  }
}
