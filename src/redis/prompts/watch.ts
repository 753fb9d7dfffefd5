import type { Logger } from 'pino';
import type { RedisConnection } from '../connection.ts';
import type { Target } from './alias.ts';

/** Messages of a channel can be missed, so the names in use are looked at as well: two small reads a second for each. */
const POLL_INTERVAL_MS = 500;

export interface Watched {
  readonly redis: RedisConnection;
  /** What a reference means now. */
  lookUp(reference: string): Promise<Target | null>;
  /** What each meant when it was last resolved; none where that failed for want of Redis. */
  readonly resolved: Map<string, Target | null>;
  readonly logger: Logger;
}

/** Compares what is served with what Redis says, on a message and twice a second. */
export function watchTargets({ redis, lookUp, resolved, logger }: Watched) {
  const followed = new Set<string>();
  let onChange: () => Promise<void> = async () => {};
  let running = false;
  let again = false;

  async function isNews(reference: string): Promise<boolean> {
    const said = await lookUp(reference);
    const before = resolved.get(reference);
    if (before !== undefined && before?.digest === said?.digest) return false;
    // Whatever comes of it: what was looked at once and refused is not looked at again until it changes.
    resolved.set(reference, said);
    return true;
  }

  async function look(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        if (redis.state().status === 'degraded') return;
        const answers = await Promise.allSettled([...followed].map(isNews));
        const unreadable = answers.find((answer) => answer.status === 'rejected');
        if (unreadable !== undefined) noteOnce(unreadable.reason);
        if (answers.some((answer) => answer.status === 'fulfilled' && answer.value)) await onChange();
      } while (again);
    } catch (error) {
      // None of them was looked at; the next time all of them are news.
      resolved.clear();
      noteOnce(error);
    } finally {
      running = false;
    }
  }

  let noted = '';
  /** An alias that is no alias, say: once, not twice a second. */
  function noteOnce(error: unknown): void {
    const text = String(error);
    if (redis.state().status === 'degraded' || text === noted) return;
    noted = text;
    logger.error({ event: 'prompt.refused', err: error }, 'prompts could not be looked up in Redis: the old ones stay');
  }

  return {
    follow: (reference: string) => void followed.add(reference),
    start(listener: () => Promise<void>) {
      onChange = listener;
      const timer = setInterval(() => void look(), POLL_INTERVAL_MS).unref();
      redis.subscribe(redis.keys.changes, (name) => {
        // Its content may have been put right, under the same digest.
        for (const reference of followed) {
          if (reference === name || reference.startsWith(`${name}@`)) resolved.delete(reference);
        }
        noted = '';
        void look();
      });
      redis.onChange(({ status }) => {
        if (status === 'connected') void look();
      });
      redis.closed.addEventListener('abort', () => clearInterval(timer), { once: true });
    },
  };
}
