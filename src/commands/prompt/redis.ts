import { loadConfig } from '../../config.ts';
import { PreambleError } from '../../errors.ts';
import { type ConnectionSettings, connectRedis, type RedisConnection } from '../../redis/connection.ts';
import { redisUnavailable } from '../../redis/failure.ts';

export interface RedisOptions {
  config?: string | undefined;
  /** True: the configuration's. */
  redis?: string | true | undefined;
  redisUser?: string | undefined;
  redisPasswordFile?: string | undefined;
  redisCa?: string | undefined;
  redisPrefix?: string | undefined;
  json?: boolean | undefined;
}

const DEFAULT_PREFIX = 'preamble:';

/** Does something with Redis: the one of `--redis`, else the configuration's. Throws `redis_unavailable` where it can't be reached. */
export async function withRedis<Result>(
  options: RedisOptions,
  work: (redis: RedisConnection) => Promise<Result>,
): Promise<Result> {
  const redis = await connectRedis(await settingsOf(options));
  try {
    await redis.settled;
    const state = redis.state();
    if (state.status === 'degraded') throw redisUnavailable(state.reason);
    return await work(redis);
  } finally {
    await redis.close();
  }
}

/** The one or the other, not mixed: a password of the configuration does not go to a server that is named here. */
async function settingsOf(options: RedisOptions): Promise<ConnectionSettings> {
  if (options.redis !== undefined && options.redis !== true) {
    const { redis: url, redisUser, redisPasswordFile, redisCa, redisPrefix } = options;
    return {
      url,
      keyPrefix: redisPrefix ?? DEFAULT_PREFIX,
      ...(redisUser === undefined ? {} : { username: redisUser }),
      ...(redisPasswordFile === undefined ? {} : { password: { file: redisPasswordFile } }),
      ...(redisCa === undefined ? {} : { caFile: redisCa }),
    };
  }
  const { config } = await loadConfig({ file: options.config });
  if (config.redis !== undefined) return config.redis;
  throw new PreambleError('config_invalid', 'No Redis is configured.', {
    action: 'Set redis.url and redis.onUnavailable in preamble.yaml, or give --redis URL.',
  });
}
