import type { Logger } from 'pino';
import { PreambleError } from '../../errors.ts';
import { invalidPrompt } from '../../prompts/manifest.ts';
import { parsePromptReference, promptLabel, quote } from '../../prompts/name.ts';
import type { PromptRegistry, PromptVersion } from '../../prompts/registry.ts';
import type { RedisConnection } from '../connection.ts';
import type { Target } from './alias.ts';
import { redisAliases } from './aliases.ts';
import { redisArtifacts } from './artifacts.ts';
import type { PromptCache } from './cache.ts';
import { watchTargets } from './watch.ts';

export interface RedisPrompts {
  /**
   * A registry that asks Redis as well: which version a bare name means is what was promoted, if something was; a version that no
   * directory has may be in Redis. Throws also `redis_unavailable`, where Redis is away and nothing is known from before.
   */
  over(registry: PromptRegistry): { resolve(reference: string): Promise<PromptVersion> };
  /** What `reference` was last resolved to is served from now on; so it is what a restart without Redis has to serve. */
  accept(reference: string, version: PromptVersion): Promise<void>;
  /** Calls `onChange` when one of the references that were resolved means something else; at most one at a time. */
  watch(onChange: () => Promise<void>): void;
  /** What an operator should know, a sentence each. */
  degradations(): string[];
}

export interface SourceOptions {
  readonly redis: RedisConnection;
  readonly cache: PromptCache;
  readonly logger: Logger;
}

export function createRedisPrompts({ redis, cache, logger }: SourceOptions): RedisPrompts {
  const aliases = redisAliases(redis);
  const artifacts = redisArtifacts(redis);
  const inMemory = new Map<string, PromptVersion>();
  /** By reference: what it meant when last resolved, until something may be new; the same, for good; and when last accepted. */
  const resolved = new Map<string, Target | null>();
  const found = new Map<string, Target | null>();
  const accepted = new Map<string, Target | null>();
  const lost = new Set<string>();

  const known = async (reference: string) =>
    accepted.has(reference) ? accepted.get(reference) : await cache.recall(reference);

  async function ask(reference: string): Promise<Target | null> {
    const { name, version } = parsePromptReference(reference);
    if (version === null) return (await aliases.read(name))?.stable ?? null;
    const digest = await artifacts.digestOf(name, version);
    return digest === null ? null : { version, digest };
  }

  /** What Redis says; without it, what it said when that was last served. */
  async function lookUp(reference: string): Promise<Target | null> {
    let said: Target | null;
    // What was found is not undone either where its model is still loading, and it could not be accepted yet.
    const before = accepted.has(reference) || !found.has(reference) ? await known(reference) : found.get(reference);
    try {
      said = await ask(reference);
    } catch (error) {
      if (!isAway(error) || before === undefined) throw error;
      return before;
    }
    // A Redis that was emptied, or a replica that knew less, must not undo a promotion.
    const isLost = said === null && before !== null && before !== undefined;
    if (isLost && !lost.has(reference)) {
      lost.add(reference);
      logger.error({ event: 'prompt.forgotten', prompt: reference, version: before.version }, 'Redis forgot a prompt');
    }
    if (!isLost) lost.delete(reference);
    return isLost ? before : said;
  }

  async function contentOf(name: string, target: Target, registry: PromptRegistry): Promise<PromptVersion> {
    const { digest } = target;
    const label = promptLabel(name, target.version);
    const onDisk = registry.versions.find((version) => version.label === label && version.digest === digest);
    const version =
      onDisk ?? inMemory.get(digest) ?? (await cache.artifact(digest)) ?? (await fetchContent(label, digest));
    if (version.label !== label) throw invalidPrompt(`${label} in Redis`, `its manifest says ${version.label}`);
    inMemory.set(digest, version);
    return version;
  }

  async function fetchContent(label: string, digest: string): Promise<PromptVersion> {
    const artifact = await artifacts.pull(digest);
    if (artifact !== null) return await cache.keep(digest, artifact);
    throw new PreambleError('prompt_not_found', `The content of ${label} is not in Redis.`, {
      action: `Push it again: preamble prompt push ${label}.`,
    });
  }

  async function resolve(reference: string, registry: PromptRegistry): Promise<PromptVersion> {
    const { name, version } = parsePromptReference(reference);
    const local = version === null ? null : find(registry, reference);
    if (local !== null) return local;
    try {
      const target = await lookUp(reference);
      const content = target === null ? registry.resolve(reference) : await contentOf(name, target, registry);
      resolved.set(reference, target);
      found.set(reference, target);
      return content;
    } catch (error) {
      // Nothing was learned: whatever Redis says when it is back is news.
      if (isAway(error)) resolved.delete(reference);
      throw isAway(error) ? unknown(reference, error) : error;
    }
  }

  const watched = watchTargets({ redis, lookUp, resolved, logger });
  return {
    over: (registry) => ({
      resolve(reference) {
        watched.follow(reference);
        return resolve(reference, registry);
      },
    }),
    async accept(reference, version) {
      const last = found.get(reference);
      if (last === undefined) return;
      // What is served, whatever has been promoted since it was looked up.
      const target = last === null ? null : { version: version.version, digest: version.digest };
      const before = await known(reference);
      accepted.set(reference, target);
      if (before?.digest !== target?.digest || before === undefined) await cache.remember(reference, target);
    },
    watch: watched.start,
    degradations: () => [...lost].map((name) => `Redis has forgotten what ${name} means; its last version is served.`),
  };
}

/** Null where no directory has it. Throws what is wrong with it where one has. */
function find(registry: PromptRegistry, reference: string): PromptVersion | null {
  try {
    return registry.resolve(reference);
  } catch (error) {
    if (error instanceof PreambleError && error.code === 'prompt_not_found') return null;
    throw error;
  }
}

function isAway(error: unknown): error is PreambleError {
  return error instanceof PreambleError && error.code === 'redis_unavailable';
}

function unknown(reference: string, error: PreambleError): PreambleError {
  const message = `Which version ${quote(reference)} means is not known here. ${error.message}`;
  return new PreambleError('redis_unavailable', message, { cause: error });
}
