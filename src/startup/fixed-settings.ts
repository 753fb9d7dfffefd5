import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';

/** Listeners, routes, timers and connections are made of these at start. */
const FIXED = [
  'listen',
  'admin',
  'redis',
  'rollouts',
  'limits',
  'passThrough',
  'tracing',
] as const satisfies readonly (keyof Config)[];

/** `wanted`, but for what cannot change while the gateway runs; says in the log what that is. */
export function keepFixed(wanted: Config, running: Config, logger: Logger): Config {
  const settings = FIXED.filter((key) => !isDeepStrictEqual(wanted[key], running[key]));
  if (settings.length > 0) logger.warn({ event: 'config.fixed', settings }, 'these settings need a restart');
  const { listen, limits, passThrough, redis, rollouts, admin, tracing } = running;
  const { redis: _redis, rollouts: _rollouts, admin: _admin, tracing: _tracing, ...rest } = wanted;
  return {
    ...rest,
    listen,
    limits,
    passThrough,
    ...(redis === undefined ? {} : { redis }),
    ...(rollouts === undefined ? {} : { rollouts }),
    ...(admin === undefined ? {} : { admin }),
    ...(tracing === undefined ? {} : { tracing }),
  };
}
