import type { RedisConnection } from './connection.ts';
import { redisScript, runScript } from './script.ts';

/** Sets a text if it is still what it was when it was read, and tells the gateways, in one step. */
const REPLACE = redisScript(`
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`);

export interface Replacement {
  readonly key: string;
  /** Empty: it was not there. */
  readonly before: string;
  readonly after: string;
  /** Goes to the channel of changes. */
  readonly message: string;
}

/** Whether it was replaced: not, where somebody else was faster. Throws `redis_unavailable`. */
export async function replaceText({ keys, run }: RedisConnection, replacement: Replacement): Promise<boolean> {
  const { key, before, after, message } = replacement;
  return (await run((client) => runScript(client, REPLACE, key, [before, after, keys.changes, message]))) === 1;
}
