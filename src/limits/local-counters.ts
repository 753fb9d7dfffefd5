import { type Bucket, flowMs, fullBucket, spentAt, waitFor } from './bucket.ts';
import type { LimitCounters, LimitKind, LimitState, LimitStates, Taken, TakeRequest } from './counters.ts';

/** What one tenant uses. There are as many as tenants are configured, so they are kept for good. */
interface Usage {
  requests: Bucket;
  tokens: Bucket;
  streams: number;
}

/** How long an answer may still take is not known; a few seconds is what most take. */
const STREAM_RETRY_MS = 2_000;

/** Counts in this process alone. `now` is in milliseconds. */
export function createLocalCounters(now: () => number = () => performance.now()): LimitCounters {
  const tenants = new Map<string, Usage>();
  const usageOf = (tenant: string): Usage => {
    let usage = tenants.get(tenant);
    if (usage === undefined) {
      usage = { requests: fullBucket, tokens: fullBucket, streams: 0 };
      tenants.set(tenant, usage);
    }
    return usage;
  };
  return {
    async take(asked) {
      const usage = usageOf(asked.tenant);
      const taken = takeFrom(usage, asked, now());
      if (!taken.granted) return taken;
      const { limits, tokens } = asked;
      const settle = async (usedTokens: number | null) => {
        usage.streams--;
        if (limits.tokensPerMinute === undefined || usedTokens === null) return;
        const at = now();
        const spent = spentAt(usage.tokens, limits.tokensPerMinute, at);
        usage.tokens = { spent: Math.max(0, spent + usedTokens - tokens), at };
      };
      return { ...taken, grant: { settle } };
    },
  };
}

type Step = { granted: true; states: LimitStates } | Extract<Taken, { granted: false }>;

function takeFrom(usage: Usage, { limits, tokens: cost }: TakeRequest, now: number): Step {
  const { requestsPerMinute, tokensPerMinute, streams } = limits;
  const waits: [LimitKind, number][] = [];
  let requests = 0;
  let tokens = 0;
  if (requestsPerMinute !== undefined) {
    requests = spentAt(usage.requests, requestsPerMinute, now);
    waits.push(['requests', waitFor(requests, requestsPerMinute, 1)]);
  }
  if (tokensPerMinute !== undefined) {
    tokens = spentAt(usage.tokens, tokensPerMinute, now);
    waits.push(['tokens', waitFor(tokens, tokensPerMinute, cost)]);
  }
  if (streams !== undefined) waits.push(['streams', usage.streams < streams ? 0 : STREAM_RETRY_MS]);

  const [over, retryMs] = waits.reduce((longest, wait) => (wait[1] > longest[1] ? wait : longest), ['requests', 0]);
  const granted = retryMs === 0;
  if (granted) {
    requests += 1;
    tokens += cost;
    usage.requests = { spent: requests, at: now };
    usage.tokens = { spent: tokens, at: now };
    usage.streams++;
  }
  const states: LimitStates = {
    ...(requestsPerMinute !== undefined && { requests: stateOf(requests, requestsPerMinute) }),
    ...(tokensPerMinute !== undefined && { tokens: stateOf(tokens, tokensPerMinute) }),
  };
  return granted ? { granted, states } : { granted, states, over, retryMs };
}

function stateOf(spent: number, limit: number): LimitState {
  return { limit, remaining: Math.max(0, Math.floor(limit - spent)), resetMs: flowMs(spent, limit) };
}
