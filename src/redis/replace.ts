import type { RedisConnection } from './connection.ts';
import { redisScript, runScript } from './script.ts';

/** Sets a text if it is still what it was when it was read, and tells the gateways, in one step. */
const REPLACE = redisScript(`
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`);

interface Replacement {
  readonly key: string;
  /** Empty: it was not there. */
  readonly before: string;
  readonly after: string;
  /** Goes to the channel of changes. */
  readonly message: string;
}

/** Whether it was replaced: not, where somebody else was faster. Throws `redis_unavailable`. */
async function replaceText({ keys, run }: RedisConnection, replacement: Replacement): Promise<boolean> {
  const { key, before, after, message } = replacement;
  return (await run((client) => runScript(client, REPLACE, key, [before, after, keys.changes, message]))) === 1;
}

/** Somebody else may change it in the same moment once or twice; more often than this something else is wrong. */
const MAX_ATTEMPTS = 5;

export interface Change<Value> {
  readonly key: string;
  /** Goes to the channel of changes. */
  readonly message: string;
  /** Empty where it is not there. */
  readText(): Promise<string>;
  parse(text: string): Value | null;
  /** Makes the new value; called anew where somebody else was faster. The same value is left as it is. */
  step(before: Value | null): Value;
  /** What to say when somebody else is faster each time. */
  busy(): Error;
}

/** Reads a value, and replaces it by what `step` makes of it, at once for all gateways. Throws what its parts throw, `redis_unavailable`. */
export async function changeText<Value>(redis: RedisConnection, change: Change<Value>): Promise<Value> {
  const { key, message } = change;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const text = await change.readText();
    const before = change.parse(text);
    const after = change.step(before);
    if (after === before) return after;
    if (await replaceText(redis, { key, before: text, after: JSON.stringify(after), message })) return after;
  }
  throw change.busy();
}
