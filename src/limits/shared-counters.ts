import type { Logger } from 'pino';
import type { RedisSettings } from '../config/schema/redis.ts';
import { PreambleError } from '../errors.ts';
import type { LimitCounters } from './counters.ts';

export interface SharedCountersOptions {
  readonly onUnavailable: RedisSettings['onUnavailable'];
  /** Takes over with `local`. What it granted is settled with it, whether or not the store has come back. */
  readonly local: LimitCounters;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

/** Counters of a store that may be gone, and what holds then. The log says when it goes and when it is back, not at every request. */
export function surviveLoss(shared: LimitCounters, options: SharedCountersOptions): LimitCounters {
  const { onUnavailable, local, logger } = options;
  let gone = false;
  return {
    async take(asked) {
      try {
        const taken = await shared.take(asked);
        if (gone) logger.info({ event: 'limits.shared' }, 'limits are counted together again');
        gone = false;
        return taken;
      } catch (error) {
        if (!gone) logger.warn({ event: 'limits.unavailable', onUnavailable, err: error }, 'shared limits unavailable');
        gone = true;
        if (onUnavailable === 'local') return await local.take(asked);
        throw new PreambleError('limits_unavailable', 'The limits of this key cannot be looked up now.', {
          action: 'Try again.',
          cause: error,
        });
      }
    },
  };
}
