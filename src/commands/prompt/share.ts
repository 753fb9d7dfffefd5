import { join } from 'node:path';
import { compare } from 'semver';
import { PreambleError, toError } from '../../errors.ts';
import { readArtifactBytes, readManifest } from '../../prompts/artifact.ts';
import { placeArtifact } from '../../prompts/artifact-copy.ts';
import { manifestDigest } from '../../prompts/manifest.ts';
import { parsePromptReference, promptLabel, quote } from '../../prompts/name.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { promoted, rolledBack, type Target } from '../../redis/prompts/alias.ts';
import { redisAliases } from '../../redis/prompts/aliases.ts';
import { type CheckedArtifact, checkArtifact, redisArtifacts } from '../../redis/prompts/artifacts.ts';
import { type Output, table, writeResult } from '../output.ts';
import { openPrompts, type ReadOptions } from './directories.ts';
import { type RedisOptions, withRedis } from './redis.ts';

export interface PullOptions extends RedisOptions {
  out: string;
}

export async function pushPrompt(
  reference: string,
  options: RedisOptions & ReadOptions,
  output: Output,
): Promise<void> {
  const { directory, digest, label } = (await openPrompts(options)).resolve(reference);
  const artifact = checkArtifact(await readArtifactBytes(directory), digest, directory);
  const { isNew } = await withRedis(options, (redis) => redisArtifacts(redis).push(artifact));
  const text = isNew ? `Pushed ${label} to Redis` : `${label} is in Redis already`;
  writeResult(options.json, { prompt: label, digest, isNew }, text, output);
}

/** What gateways can take from Redis, and which version each name means there. */
export async function listPushed(options: RedisOptions, output: Output): Promise<void> {
  const value = await withRedis(options, async (redis) => {
    const pushed = await redisArtifacts(redis).list();
    const names = [...new Set(pushed.map(({ name }) => name))];
    const aliases = new Map(
      await Promise.all(names.map(async (name) => [name, await redisAliases(redis).read(name)] as const)),
    );
    return pushed
      .map((prompt) => ({ ...prompt, stable: aliases.get(prompt.name)?.stable.version === prompt.version }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en') || compare(a.version, b.version));
  });
  const rows = value.map(({ name, version, digest, stable }) => [
    promptLabel(name, version),
    stable ? 'stable' : '-',
    digest.slice(0, 12),
  ]);
  const text = rows.length === 0 ? 'There are no prompts in Redis.' : table(['PROMPT', 'PROMOTED', 'DIGEST'], rows);
  writeResult(options.json, value, text, output);
}

export async function pullPrompt(reference: string, options: PullOptions, output: Output): Promise<void> {
  const { name, version } = parsePromptReference(reference);
  const { target, artifact } = await withRedis(options, async (redis) => {
    const target = version === null ? await stableOf(redis, name) : await versionOf(redis, name, version);
    return { target, artifact: await soundArtifact(redis, name, target) };
  });
  const label = promptLabel(name, target.version);
  const directory = join(options.out, name, target.version);
  const isNew = await place(directory, artifact, target, label);
  writeResult(
    options.json,
    { prompt: label, digest: target.digest, directory, isNew },
    isNew ? `Wrote ${label} (${directory})` : `${label} is there already (${directory})`,
    output,
  );
}

export async function promotePrompt(reference: string, options: RedisOptions, output: Output): Promise<void> {
  const { name, version } = parsePromptReference(reference);
  if (version === null) {
    throw new PreambleError('prompt_not_found', `${quote(reference)} names no version.`, {
      action: 'Say which one is to be promoted: NAME@VERSION.',
    });
  }
  const { target, before, after } = await withRedis(options, async (redis) => {
    const target = await versionOf(redis, name, version);
    await soundArtifact(redis, name, target);
    let before: string | null = null;
    const after = await redisAliases(redis).change(name, (alias) => {
      before = alias?.stable.version ?? null;
      return promoted(alias, target, new Date());
    });
    return { target, before, after };
  });
  const value = { name, version, digest: target.digest, previous: before, generation: after.generation };
  const text =
    before === version
      ? `${promptLabel(name, version)} is stable already`
      : `Promoted ${promptLabel(name, version)}, before: ${before ?? 'none'}`;
  writeResult(options.json, value, text, output);
}

export async function rollBackPrompt(reference: string, options: RedisOptions, output: Output): Promise<void> {
  const { name, version } = parsePromptReference(reference);
  if (version !== null) {
    throw new PreambleError(
      'prompt_not_found',
      `A rollback returns to the version before; ${quote(reference)} names one.`,
      {
        action: 'Give the name alone, or promote that version.',
      },
    );
  }
  const { from, alias } = await withRedis(options, async (redis) => {
    const aliases = redisAliases(redis);
    const seen = await aliases.read(name);
    const wanted = seen === null ? null : rolledBack(seen, new Date());
    if (seen === null || wanted === null) throw nothingBefore(name);
    await soundArtifact(redis, name, wanted.stable);
    const alias = await aliases.change(name, (current) => {
      if (current?.generation === seen.generation) return wanted;
      throw new PreambleError('prompt_invalid', `Somebody else has just changed the alias of ${name}.`, {
        action: 'See what they did, and try again.',
      });
    });
    return { from: seen.stable.version, alias };
  });
  const { version: to, digest } = alias.stable;
  const value = { name, version: to, digest, from, generation: alias.generation };
  writeResult(options.json, value, `Rolled ${name} back from ${from} to ${to}`, output);
}

async function stableOf(redis: RedisConnection, name: string): Promise<Target> {
  const alias = await redisAliases(redis).read(name);
  if (alias !== null) return alias.stable;
  throw new PreambleError('prompt_not_found', `No version of ${name} is promoted.`, {
    action: 'Name one: NAME@VERSION.',
  });
}

export async function versionOf(redis: RedisConnection, name: string, version: string): Promise<Target> {
  const digest = await redisArtifacts(redis).digestOf(name, version);
  if (digest !== null) return { version, digest };
  const label = promptLabel(name, version);
  throw new PreambleError('prompt_not_found', `${label} is not in Redis.`, {
    action: `Push it: preamble prompt push ${label}.`,
  });
}

/** Gateways refuse what is broken; so does whoever would send them to it. */
export async function soundArtifact(redis: RedisConnection, name: string, target: Target): Promise<CheckedArtifact> {
  const label = promptLabel(name, target.version);
  const artifact = await redisArtifacts(redis).pull(target.digest);
  const says = artifact === null ? 'nothing' : promptLabel(artifact.manifest.name, artifact.manifest.version);
  if (artifact !== null && says === label) return artifact;
  throw new PreambleError('prompt_invalid', `Under the digest of ${label} Redis holds ${says}.`, {
    action: `Push it again: preamble prompt push ${label}.`,
  });
}

async function place(directory: string, { bytes }: CheckedArtifact, target: Target, label: string): Promise<boolean> {
  try {
    if (await placeArtifact(directory, bytes)) return true;
  } catch (error) {
    throw new PreambleError('file_unwritable', `Cannot write ${directory}: ${toError(error).message}.`, {
      action: 'Check the free space and the permissions of that directory, or give another with --out.',
      cause: error,
    });
  }
  if (manifestDigest(await readManifest(directory)) === target.digest) return false;
  throw new PreambleError('file_unwritable', `${label} exists already in ${directory}, with other content.`, {
    action: 'Remove it, or give another directory with --out.',
  });
}

function nothingBefore(name: string): PreambleError {
  return new PreambleError('prompt_not_found', `There is no version of ${name} to go back to.`, {
    action: 'Promote one: preamble prompt promote NAME@VERSION.',
  });
}
