import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import { type Counts, readCounts } from '../rollout/counts.ts';
import { MAX_ROLLOUT_BYTES, parseRollout, type Rollout } from '../rollout/record.ts';
import type { RolloutStore } from '../rollout/store.ts';
import type { RedisConnection } from './connection.ts';
import { describeFailure, redisUnavailable } from './failure.ts';
import { changeText } from './replace.ts';
import { redisScript, runScript } from './script.ts';

/** Sums outlive their rollout for this long, to be looked at. */
const COUNTS_SECONDS = 30 * 24 * 3600;

/**
 * Adds a batch unless it was added already: a reply may be lost where its command was not. ARGV: expiry, gateway, number of its batch, and fields and counts in
 * turn. Returns all sums.
 */
const ADD = redisScript(`
local last = 'batch/' .. ARGV[2]
if tonumber(redis.call('HGET', KEYS[1], last) or 0) < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], last, ARGV[3])
  for index = 4, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[index], ARGV[index + 1]) end
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return redis.call('HGETALL', KEYS[1])`);

const checker = Compile(Type.Array(Type.String()));

/** One key a rollout, and one for its sums. */
export function redisRollouts(redis: RedisConnection): RolloutStore {
  const { keys, run } = redis;
  /** One byte more than the most is enough to see that it is too long. */
  const readText = (name: string) => run((client) => client.getrange(keys.rollout(name), 0, MAX_ROLLOUT_BYTES));
  const parse = (text: string, name: string) =>
    text === '' ? null : parseRollout(text, `The rollout of ${name} in Redis`);

  return {
    async list() {
      const names = await run((client) => client.smembers(keys.rollouts));
      const found = await Promise.all(names.toSorted().map(async (name) => parse(await readText(name), name)));
      return found.filter((rollout): rollout is Rollout => rollout !== null);
    },
    read: async (name) => parse(await readText(name), name),
    async change(name, step) {
      // The name first: what is listed and not there is passed over, what is there and not listed would be hidden.
      await run((client) => client.sadd(keys.rollouts, name));
      return await changeText(redis, {
        key: keys.rollout(name),
        message: name,
        readText: () => readText(name),
        parse: (text) => parse(text, name),
        step,
        busy: () =>
          new PreambleError('rollout_invalid', `The rollout of ${name} changes all the time.`, {
            action: 'See who else changes it, and try again.',
          }),
      });
    },
    counts: async (id) => readCounts(await run((client) => client.hgetall(keys.rolloutCounts(id)))),
    async add(id, { gateway, number, counts }) {
      const args = [COUNTS_SECONDS, gateway, number, ...Object.entries(counts).flat()];
      const reply = await run((client) => runScript(client, ADD, keys.rolloutCounts(id), args));
      return readReply(reply);
    },
    watch(onChange) {
      redis.subscribe(keys.changes, onChange);
    },
  };
}

/** Names and values in turn. */
function readReply(reply: unknown): Counts {
  if (!checker.Check(reply)) throw redisUnavailable(describeFailure(new Error('not our reply')).reason);
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < reply.length; index += 2) fields[reply[index] ?? ''] = reply[index + 1] ?? '';
  return readCounts(fields);
}
