import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { LimitCounters } from '../limits/counters.ts';
import type { ResponseStore } from '../openai/responses/store.ts';
import { connectRedis, type RedisConnection, type RedisState } from '../redis/connection.ts';
import { createRedisCounters } from '../redis/counters.ts';
import { openPromptCache } from '../redis/prompts/cache.ts';
import { createRedisPrompts, type RedisPrompts } from '../redis/prompts/source.ts';
import { createRedisResponses } from '../redis/responses.ts';

/** What this gateway shares with others. */
export interface Shared extends AsyncDisposable {
  readonly redis: RedisConnection;
  readonly prompts: RedisPrompts;
  readonly counters: LimitCounters;
  readonly responses: ResponseStore;
  /** Of the connection. */
  state(): RedisState;
  /** What does not work now, though requests are answered; a sentence each. */
  degradations(): string[];
}

/** Null where no Redis is configured. One that is away is no error: it is waited for. Throws `config_invalid`, `file_unreadable`. */
export async function openShared({ redis: settings }: Config, logger: Logger): Promise<Shared | null> {
  if (settings === undefined) return null;
  const redis = await connectRedis(settings);
  await redis.settled;
  logState(redis.state(), logger);
  redis.onChange((state) => logState(state, logger));
  const cache = openPromptCache({
    space: `${settings.url}\n${settings.keyPrefix}`,
    onUnwritable: (error) =>
      logger.warn({ event: 'prompt.not_kept', err: error }, 'prompts of Redis are not kept on disk'),
  });
  const prompts = createRedisPrompts({ redis, cache, logger });
  return {
    redis,
    prompts,
    counters: createRedisCounters(redis),
    responses: createRedisResponses(redis, settings.responseSeconds),
    state: redis.state,
    degradations: () => [...sayState(redis.state()), ...prompts.degradations()],
    [Symbol.asyncDispose]: () => redis.close(),
  };
}

function sayState(state: RedisState): string[] {
  if (state.status === 'connected') return [];
  return [`Redis is not available since ${state.since.toISOString()}: ${state.reason}.`];
}

function logState(state: RedisState, logger: Logger): void {
  if (state.status === 'connected') logger.info({ event: 'redis.connected' }, 'Redis is there');
  else logger.warn({ event: 'redis.degraded', reason: state.reason }, 'Redis is not available');
}
