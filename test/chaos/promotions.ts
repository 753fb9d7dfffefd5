import { PreambleError } from '../../src/errors.ts';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { type Alias, promoted, rolledBack } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { redisArtifacts } from '../../src/redis/prompts/artifacts.ts';
import type { Timeline } from './timeline.ts';
import { PROMPT, type Versions } from './versions.ts';

export interface Promotions {
  /** Pushes a version and promotes it; false where Redis was not there for all of it. */
  promote(version: string): Promise<boolean>;
  rollBack(): Promise<boolean>;
}

/** What `preamble prompt push`, `promote` and `rollback` do, with the time at which each may take effect and does. */
export function createPromotions(redis: RedisConnection, versions: Versions, timeline: Timeline): Promotions {
  const artifacts = redisArtifacts(redis);
  const aliases = redisAliases(redis);

  async function change(step: (alias: Alias | null) => Alias | null): Promise<boolean> {
    let confirm = () => {};
    try {
      await aliases.change(PROMPT, (before) => {
        const after = step(before);
        if (after === null) throw new NothingToDo();
        if (after !== before) confirm = timeline.begin(after.stable.version);
        return after;
      });
      confirm();
      return true;
    } catch (error) {
      // It may have been carried out: nobody will ever know.
      if (isAway(error) || error instanceof NothingToDo) return false;
      throw error;
    }
  }

  return {
    async promote(version) {
      const known = versions.artifacts.get(version);
      if (known === undefined) throw new RangeError(version);
      try {
        await artifacts.push(known.artifact);
      } catch (error) {
        if (isAway(error)) return false;
        throw error;
      }
      return await change((alias) => promoted(alias, { version, digest: known.digest }, new Date()));
    },
    rollBack: () => change((alias) => alias && rolledBack(alias, new Date())),
  };
}

class NothingToDo extends Error {}

function isAway(error: unknown): boolean {
  return error instanceof PreambleError && error.code === 'redis_unavailable';
}
