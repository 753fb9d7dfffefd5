import { loadConfig, promptDirectories } from '../../config.ts';
import { PreambleError } from '../../errors.ts';
import { promptLabel } from '../../prompts/name.ts';
import { openPromptRegistry } from '../../prompts/registry.ts';
import { promoted } from '../../redis/prompts/alias.ts';
import { redisAliases } from '../../redis/prompts/aliases.ts';
import { redisRollouts } from '../../redis/rollouts.ts';
import { fileRollouts } from '../../rollout/file-store.ts';
import type { RolloutTarget } from '../../rollout/record.ts';
import type { RolloutStore } from '../../rollout/store.ts';
import { rolloutsFile } from '../../startup/open-rollouts.ts';
import { type RedisOptions, withRedis } from '../prompt/redis.ts';
import { soundArtifact, versionOf } from '../prompt/share.ts';

/** Where rollouts are, and what names mean there. */
export interface RolloutPlace {
  readonly store: RolloutStore;
  /** What the name means now, for good; `wanted` says it where nothing was said before. Throws where that can't be told. */
  stable(name: string, wanted: string | null): Promise<RolloutTarget>;
  /** Throws `prompt_not_found`, and what is wrong with it. */
  version(name: string, version: string): Promise<RolloutTarget>;
  /** From now on the name means this. */
  promote(name: string, target: RolloutTarget): Promise<void>;
}

/** Redis where one is named or configured, else the file that a gateway with these settings has. */
export async function withRollouts<Result>(
  options: RedisOptions,
  work: (place: RolloutPlace) => Promise<Result>,
): Promise<Result> {
  const loaded = options.redis === undefined ? await loadConfig({ file: options.config }) : null;
  if (loaded !== null && loaded.config.redis === undefined) {
    const registry = await openPromptRegistry(promptDirectories(loaded.config));
    return await work(filePlace(rolloutsFile(loaded), registry));
  }
  return await withRedis(options, async (redis) => {
    const aliases = redisAliases(redis);
    return await work({
      store: redisRollouts(redis),
      async stable(name, wanted) {
        const stable = (await aliases.read(name))?.stable;
        if (stable !== undefined && (wanted === null || wanted === stable.version)) {
          return { version: stable.version, digest: stable.digest };
        }
        throw new PreambleError('rollout_invalid', `${name}@${wanted ?? '…'} is not promoted.`, {
          action: `Say what is stable: preamble prompt promote ${name}@${wanted ?? 'VERSION'}.`,
        });
      },
      async version(name, version) {
        const target = await versionOf(redis, name, version);
        await soundArtifact(redis, name, target);
        return target;
      },
      async promote(name, target) {
        await soundArtifact(redis, name, target);
        await aliases.change(name, (alias) => promoted(alias, target, new Date()));
      },
    });
  });
}

function filePlace(file: string, registry: Awaited<ReturnType<typeof openPromptRegistry>>): RolloutPlace {
  const store = fileRollouts(file);
  const find = (reference: string): RolloutTarget => {
    const { version, digest } = registry.resolve(reference);
    return { version, digest };
  };
  return {
    store,
    async stable(name, wanted) {
      const pinned = await store.stable(name);
      return wanted === null ? (pinned ?? find(name)) : find(promptLabel(name, wanted));
    },
    async version(name, version) {
      const label = promptLabel(name, version);
      await registry.resolve(label).load();
      return find(label);
    },
    // The file says it with the record itself.
    promote: async () => {},
  };
}
