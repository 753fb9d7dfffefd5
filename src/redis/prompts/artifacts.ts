import { PreambleError } from '../../errors.ts';
import { type ArtifactBytes, manifestFrom, tensorFrom } from '../../prompts/artifact.ts';
import { invalidPrompt, MAX_MANIFEST_BYTES, manifestDigest, type PromptManifest } from '../../prompts/manifest.ts';
import { isPromptVersion, promptLabel } from '../../prompts/name.ts';
import { MAX_TENSOR_FILE_BYTES, type PromptTensor } from '../../prompts/tensor.ts';
import type { RedisConnection } from '../connection.ts';

/** A soft prompt has a megabyte, the widest 256 of them: a second or two on a slow line. */
const BULK_TIMEOUT_MS = 20_000;
const DIGEST = /^[0-9a-f]{64}$/;

/** Bytes of which every check has been made. */
export interface CheckedArtifact {
  readonly bytes: ArtifactBytes;
  readonly manifest: PromptManifest;
  readonly tensor: PromptTensor;
}

export interface RedisArtifacts {
  /** Puts a version there; one that is there stays as it is. Throws `prompt_invalid` where that has other content, and `redis_unavailable`. */
  push(artifact: CheckedArtifact): Promise<{ digest: string; isNew: boolean }>;
  /** Null where there is none. Throws `digest_mismatch`, `prompt_invalid`, `redis_unavailable`. */
  pull(digest: string): Promise<CheckedArtifact | null>;
  /** What `name@version` means; null where it was never pushed. Throws `prompt_invalid`, `redis_unavailable`. */
  digestOf(name: string, version: string): Promise<string | null>;
  /** What was pushed, by name and version. Throws `redis_unavailable`. */
  list(): Promise<PushedVersion[]>;
}

export interface PushedVersion {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** The same checks as for files; `digest` is what the content must have. Throws `digest_mismatch`, `prompt_invalid`. */
export function checkArtifact(bytes: ArtifactBytes, digest: string | null, place: string): CheckedArtifact {
  const manifest = manifestFrom(bytes.manifest, place);
  const found = manifestDigest(manifest);
  if (digest !== null && found !== digest) {
    throw new PreambleError('digest_mismatch', `${place} is not what its name says: its digest is ${found}.`, {
      action: 'Push the prompt again.',
    });
  }
  return { bytes, manifest, tensor: tensorFrom(bytes.tensor, manifest, place) };
}

/** Versions in Redis: their content under its digest, and a table of versions for each name. */
export function redisArtifacts({ keys, run }: RedisConnection): RedisArtifacts {
  async function digestOf(name: string, version: string): Promise<string | null> {
    const digest = await run((client) => client.hget(keys.versions(name), version));
    if (digest === null || DIGEST.test(digest)) return digest;
    throw invalidPrompt(`${promptLabel(name, version)} in Redis`, 'what stands in its place is no digest');
  }

  async function pull(digest: string): Promise<CheckedArtifact | null> {
    const key = keys.prompt(digest);
    const place = `The prompt ${digest.slice(0, 12)}… in Redis`;
    const sizes = await run((client) => Promise.all([client.hstrlen(key, 'manifest'), client.hstrlen(key, 'tensor')]));
    if (sizes[0] === 0 && sizes[1] === 0) return null;
    if (sizes[0] > MAX_MANIFEST_BYTES || sizes[1] > MAX_TENSOR_FILE_BYTES)
      throw invalidPrompt(place, 'it is too large');
    const [manifest, tensor] = await run((client) => client.hmgetBuffer(key, 'manifest', 'tensor'), BULK_TIMEOUT_MS);
    if (!manifest || !tensor) throw invalidPrompt(place, 'a part of it is missing');
    return checkArtifact({ manifest, tensor }, digest, place);
  }

  /** What is there and broken is not this content, and may be put right. */
  async function isSound(digest: string): Promise<boolean> {
    try {
      return (await pull(digest)) !== null;
    } catch (error) {
      if (error instanceof PreambleError && error.code !== 'redis_unavailable') return false;
      throw error;
    }
  }

  return {
    digestOf,
    pull,
    async list() {
      const names = await run((client) => client.smembers(keys.prompts));
      const found = await Promise.all(
        names.toSorted().map(async (name) => {
          const versions = await run((client) => client.hgetall(keys.versions(name)));
          return Object.entries(versions).map(([version, digest]) => ({ name, version, digest }));
        }),
      );
      return found.flat().filter(({ version, digest }) => isPromptVersion(version) && DIGEST.test(digest));
    },
    async push({ bytes, manifest }) {
      const { name, version } = manifest;
      const digest = manifestDigest(manifest);
      const fields = { manifest: Buffer.from(bytes.manifest), tensor: Buffer.from(bytes.tensor) };
      const before = await digestOf(name, version);
      refuseOther(before, digest, manifest);
      const sound = await isSound(digest);
      // The content first: whoever sees the version finds it.
      if (!sound) await run((client) => client.hset(keys.prompt(digest), fields), BULK_TIMEOUT_MS);
      // What is listed and not there is passed over, what is there and not listed would be hidden.
      await run((client) => client.sadd(keys.prompts, name));
      if (before === null) {
        await run((client) => client.hsetnx(keys.versions(name), version, digest));
        refuseOther(await digestOf(name, version), digest, manifest);
      }
      await run((client) => client.publish(keys.changes, name));
      return { digest, isNew: !sound || before === null };
    },
  };
}

function refuseOther(found: string | null, digest: string, { name, version }: PromptManifest): void {
  if (found === null || found === digest) return;
  throw new PreambleError('prompt_invalid', `${promptLabel(name, version)} is in Redis already, with other content.`, {
    action: 'A version never changes: give the new content a new version.',
  });
}
