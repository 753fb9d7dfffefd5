import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { flowMs } from '../limits/bucket.ts';
import type { LimitCounters, LimitState, LimitStates, Taken, TakeRequest } from '../limits/counters.ts';
import type { RedisConnection } from './connection.ts';
import { describeFailure, redisUnavailable } from './failure.ts';
import { redisScript, runScript } from './script.ts';

/** A bucket that nobody takes from is full again after a minute, as is one without a key; debts of more are kept for as long as they last. */
const LEAST_EXPIRY_MS = 60_000;
/** How long an answer may still take is not known; a few seconds is what most take. */
const STREAM_RETRY_MS = 2_000;
/** No limit, in the script's arguments. */
const NONE = 0;

/**
 * The buckets of bucket.ts and the streams of one tenant, looked at and counted in one step, by the clock of Redis: those of gateways differ. Times are in
 * milliseconds; fractions are kept as text, as Lua hands on whole numbers only. A stream is a field of its own, which holds when its lease
 * ends; it is what makes the hash as long as there are answers under way, and no longer.
 *
 * ARGV: limits of requests, tokens and streams (0: none), tokens to take, lease, name of the stream.
 * Returns what was over (0 nothing, 1 requests, 2 tokens, 3 streams), its wait, and what is spent of requests and tokens.
 */
const TAKE = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limits = { tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) }
local cost = { 1, tonumber(ARGV[4]) }
local spent, waits = { 0, 0 }, { 0, 0, 0 }
local saved = redis.call('HMGET', KEYS[1], 'requests', 'requestsAt', 'tokens', 'tokensAt')
for kind = 1, 2 do
  if limits[kind] > 0 then
    local before, at = tonumber(saved[kind * 2 - 1] or 0), tonumber(saved[kind * 2] or now)
    spent[kind] = math.max(0, before - math.max(0, now - at) * limits[kind] / 60000)
    waits[kind] = math.max(0, math.ceil((spent[kind] + cost[kind] - limits[kind]) * 60000 / limits[kind]))
  end
end
local latest = 0
if limits[3] > 0 then
  local under_way = 0
  local fields = redis.call('HGETALL', KEYS[1])
  for index = 1, #fields, 2 do
    if string.sub(fields[index], 1, 7) == 'stream:' then
      local ends = tonumber(fields[index + 1])
      if ends <= now then redis.call('HDEL', KEYS[1], fields[index])
      else
        under_way = under_way + 1
        latest = math.max(latest, ends - now)
      end
    end
  end
  if under_way >= limits[3] then waits[3] = ${STREAM_RETRY_MS} end
end
local over, wait = 0, 0
for kind = 1, 3 do
  if waits[kind] > wait then over, wait = kind, waits[kind] end
end
if over == 0 then
  local expiry = ${LEAST_EXPIRY_MS}
  local names = { 'requests', 'tokens' }
  for kind = 1, 2 do
    if limits[kind] > 0 then
      spent[kind] = spent[kind] + cost[kind]
      redis.call('HSET', KEYS[1], names[kind], string.format('%.6f', spent[kind]), names[kind] .. 'At', now)
      expiry = math.max(expiry, math.ceil(spent[kind] * 60000 / limits[kind]))
    end
  end
  if limits[3] > 0 then
    redis.call('HSET', KEYS[1], 'stream:' .. ARGV[6], now + tonumber(ARGV[5]))
    expiry = math.max(expiry, latest, tonumber(ARGV[5]))
  end
  redis.call('PEXPIRE', KEYS[1], math.max(expiry, redis.call('PTTL', KEYS[1])))
end
return { over, wait, string.format('%.6f', spent[1]), string.format('%.6f', spent[2]) }`);

/**
 * ARGV: limit of tokens, how many more were used than set aside (negative: fewer; 0 with a limit of 0: leave them), name of the stream.
 * What a bucket was emptied of by a restart of Redis is not taken from what is there now: it never falls below nothing spent.
 */
const SETTLE = redisScript(`
redis.call('HDEL', KEYS[1], 'stream:' .. ARGV[3])
local limit, more = tonumber(ARGV[1]), tonumber(ARGV[2])
if limit == 0 or more == 0 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local saved = redis.call('HMGET', KEYS[1], 'tokens', 'tokensAt')
local before, at = tonumber(saved[1] or 0), tonumber(saved[2] or now)
local spent = math.max(0, math.max(0, before - math.max(0, now - at) * limit / 60000) + more)
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', spent), 'tokensAt', now)
local expiry = math.max(${LEAST_EXPIRY_MS}, math.ceil(spent * 60000 / limit), redis.call('PTTL', KEYS[1]))
redis.call('PEXPIRE', KEYS[1], expiry)
return 1`);

const kinds = ['requests', 'tokens', 'streams'] as const;
const checker = Compile(Type.Tuple([Type.Integer(), Type.Integer(), Type.String(), Type.String()]));

/** Counts for every gateway that shares the Redis; one round trip a step. Rejects with `redis_unavailable`. */
export function createRedisCounters({ keys, run }: Pick<RedisConnection, 'keys' | 'run'>): LimitCounters {
  let taken = 0;
  /** Apart from every other gateway's. */
  const self = crypto.randomUUID();
  return {
    async take(asked) {
      const { tenant, limits, leaseMs } = asked;
      const key = keys.limits(tenant);
      const stream = `${self}:${taken++}`;
      const limit = [limits.requestsPerMinute ?? NONE, limits.tokensPerMinute ?? NONE, limits.streams ?? NONE] as const;
      const reply = await run((client) =>
        runScript(client, TAKE, key, [...limit, asked.tokens, Math.ceil(leaseMs), stream]),
      );
      const step = readStep(reply, asked);
      if (!step.granted) return step;
      const settle = async (usedTokens: number | null) => {
        const more = usedTokens === null ? 0 : usedTokens - asked.tokens;
        if (limits.streams === undefined && (limits.tokensPerMinute === undefined || more === 0)) return;
        await run((client) => runScript(client, SETTLE, key, [limit[1], more, stream]));
      };
      return { ...step, grant: { settle } };
    },
  };
}

type Step = { granted: true; states: LimitStates } | Extract<Taken, { granted: false }>;

function readStep(reply: unknown, { limits }: TakeRequest): Step {
  if (!checker.Check(reply)) throw redisUnavailable(describeFailure(new Error('not our reply')).reason);
  const [over, retryMs, requests, tokens] = reply;
  const { requestsPerMinute, tokensPerMinute } = limits;
  const states: LimitStates = {
    ...(requestsPerMinute !== undefined && { requests: stateOf(Number(requests), requestsPerMinute) }),
    ...(tokensPerMinute !== undefined && { tokens: stateOf(Number(tokens), tokensPerMinute) }),
  };
  const kind = kinds[over - 1];
  return kind === undefined ? { granted: true, states } : { granted: false, states, over: kind, retryMs };
}

function stateOf(spent: number, limit: number): LimitState {
  return { limit, remaining: Math.max(0, Math.floor(limit - spent)), resetMs: flowMs(spent, limit) };
}
