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

/** Leases end together, a sixteenth of one late at the most: so many numbers tell how many answers are under way, however many those are. */
const LEASE_STEPS = 16;

/**
 * The buckets of bucket.ts and the streams of one tenant, looked at and counted in one step, by the clock of Redis: those of gateways differ. Times are in
 * milliseconds; fractions are kept as text, as Lua hands on whole numbers only. Streams are counted by when their leases end, in a field for each
 * such time, `ends:TIME:LIFE`. A field for each stream made the step slower with each of them: 88 ms at 10,000. LIFE is the hash's own: what
 * was counted before Redis lost everything is not taken from what has been counted since.
 *
 * ARGV: limits of requests, tokens and streams (0: none), tokens to take, lease, a name for the hash's life if it begins now.
 * Returns what was over (0 nothing, 1 requests, 2 tokens, 3 streams), its wait, what is spent of requests and tokens, and the stream's field.
 */
const TAKE = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limits = { tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) }
local cost = { 1, tonumber(ARGV[4]) }
local spent, waits = { 0, 0 }, { 0, 0, 0 }
local saved = redis.call('HMGET', KEYS[1], 'requests', 'requestsAt', 'tokens', 'tokensAt', 'life')
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
    local ends = tonumber(string.match(fields[index], '^ends:(%d+):'))
    if ends and ends <= now then redis.call('HDEL', KEYS[1], fields[index])
    elseif ends then
      under_way = under_way + tonumber(fields[index + 1])
      latest = math.max(latest, ends - now)
    end
  end
  if under_way >= limits[3] then waits[3] = ${STREAM_RETRY_MS} end
end
local over, wait, stream = 0, 0, ''
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
    local life = saved[5]
    if not life then
      life = ARGV[6]
      redis.call('HSET', KEYS[1], 'life', life)
    end
    local step = math.ceil(tonumber(ARGV[5]) / ${LEASE_STEPS})
    local ends = math.ceil((now + tonumber(ARGV[5])) / step) * step
    stream = string.format('ends:%.0f:%s', ends, life)
    redis.call('HINCRBY', KEYS[1], stream, 1)
    expiry = math.max(expiry, latest, ends - now)
  end
  redis.call('PEXPIRE', KEYS[1], math.max(expiry, redis.call('PTTL', KEYS[1])))
end
return { over, wait, string.format('%.6f', spent[1]), string.format('%.6f', spent[2]), stream }`);

/**
 * ARGV: limit of tokens, how many more were used than set aside (negative: fewer; 0 with a limit of 0: leave them), the stream's field (empty: none).
 * What a bucket was emptied of by a restart of Redis is not taken from what is there now: it never falls below nothing spent.
 */
const SETTLE = redisScript(`
local streams = ARGV[3] ~= '' and tonumber(redis.call('HGET', KEYS[1], ARGV[3]))
if streams and streams > 1 then redis.call('HINCRBY', KEYS[1], ARGV[3], -1)
elseif streams then redis.call('HDEL', KEYS[1], ARGV[3]) end
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
const checker = Compile(Type.Tuple([Type.Integer(), Type.Integer(), Type.String(), Type.String(), Type.String()]));

/** Counts for every gateway that shares the Redis; one round trip a step. Rejects with `redis_unavailable`. */
export function createRedisCounters({ keys, run }: Pick<RedisConnection, 'keys' | 'run'>): LimitCounters {
  let taken = 0;
  /** Apart from every other gateway's. */
  const self = crypto.randomUUID();
  return {
    async take(asked) {
      const { tenant, limits, leaseMs } = asked;
      const key = keys.limits(tenant);
      const life = `${self}:${taken++}`;
      const limit = [limits.requestsPerMinute ?? NONE, limits.tokensPerMinute ?? NONE, limits.streams ?? NONE] as const;
      const reply = await run((client) =>
        runScript(client, TAKE, key, [...limit, asked.tokens, Math.ceil(leaseMs), life]),
      );
      const { step, stream } = readStep(reply, asked);
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

/** `stream`: the field that it was counted in. */
function readStep(reply: unknown, { limits }: TakeRequest): { step: Step; stream: string } {
  if (!checker.Check(reply)) throw redisUnavailable(describeFailure(new Error('not our reply')).reason);
  const [over, retryMs, requests, tokens, stream] = reply;
  const { requestsPerMinute, tokensPerMinute } = limits;
  const states: LimitStates = {
    ...(requestsPerMinute !== undefined && { requests: stateOf(Number(requests), requestsPerMinute) }),
    ...(tokensPerMinute !== undefined && { tokens: stateOf(Number(tokens), tokensPerMinute) }),
  };
  const kind = kinds[over - 1];
  const step: Step = kind === undefined ? { granted: true, states } : { granted: false, states, over: kind, retryMs };
  return { step, stream };
}

function stateOf(spent: number, limit: number): LimitState {
  return { limit, remaining: Math.max(0, Math.floor(limit - spent)), resetMs: flowMs(spent, limit) };
}
