import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { LoadedConfig } from '../config.ts';
import { redisRollouts } from '../redis/rollouts.ts';
import { fileRollouts, ROLLOUTS_FILE } from '../rollout/file-store.ts';
import { createRollouts, type Rollouts } from '../rollout/rollouts.ts';
import type { RolloutStore } from '../rollout/store.ts';
import type { PromptResolver } from './resolve-prompt.ts';
import type { Shared } from './shared.ts';

/** The rollouts, and what they say of names. */
export interface OpenRollouts extends AsyncDisposable {
  readonly rollouts: Rollouts;
  /** What names without a version mean where no Redis says it. */
  over(resolver: PromptResolver): PromptResolver;
}

/** In Redis where there is one; else in a file, for this gateway alone. */
export function openRollouts(shared: Shared | null, loaded: LoadedConfig, logger: Logger): OpenRollouts {
  if (shared !== null) return opened(redisRollouts(shared.redis), (resolver) => resolver, logger);
  const file = fileRollouts(rolloutsFile(loaded));
  return opened(file, file.over, logger);
}

function opened(store: RolloutStore, over: OpenRollouts['over'], logger: Logger): OpenRollouts {
  const rollouts = createRollouts({ store, logger });
  return { rollouts, over, [Symbol.asyncDispose]: () => rollouts[Symbol.asyncDispose]() };
}

/** Where settings name none, beside them; without a file of settings, in the working directory, where one would be. */
export function rolloutsFile({ config, file }: LoadedConfig): string {
  return config.rollouts?.stateFile ?? join(dirname(file ?? 'preamble.yaml'), ROLLOUTS_FILE);
}
