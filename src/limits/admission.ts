import { PreambleError } from '../errors.ts';
import type { CompletionUsage } from '../openai/answer.ts';
import type { TenantLimits, TenantPolicy } from '../policy/snapshot.ts';
import { reserved } from './bucket.ts';
import type { LimitCounters, LimitKind } from './counters.ts';
import { estimateSeenTokens } from './estimate-tokens.ts';
import { formatDuration, limitHeaders } from './headers.ts';

export interface AdmissionRequest {
  readonly tenant: TenantPolicy;
  /** Estimates. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Longer than any answer may take. */
  readonly leaseMs: number;
  /** Called with OpenAI's headers before anything is thrown: who is over a limit learns when it is not. */
  onHeaders(headers: Record<string, string>): void;
}

/** What came of an answer. */
export interface AnswerEnd {
  readonly usage: CompletionUsage | null;
  /** That were seen of it. */
  readonly characters: number;
}

export interface Admission {
  readonly headers: Record<string, string>;
  /** Call it however the answer ended; null where none was begun. Only the first call counts. */
  settle(end: AnswerEnd | null): void;
}

/** Whether a tenant's requests are counted at all. */
export function isLimited({ requestsPerMinute, tokensPerMinute, streams }: TenantLimits): boolean {
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined || streams !== undefined;
}

/** Counts a request against its tenant's limits. Throws `rate_limit_exceeded`, `limits_unavailable`. */
export async function admit(counters: LimitCounters, asked: AdmissionRequest): Promise<Admission> {
  const { id, limits } = asked.tenant;
  const estimate = asked.promptTokens + asked.answerTokens;
  const tokens = reserved(estimate, limits.tokensPerMinute ?? estimate);
  const taken = await counters.take({ tenant: id, limits, tokens, leaseMs: asked.leaseMs });
  const headers = limitHeaders(taken.states);
  asked.onHeaders(headers);
  if (!taken.granted) throw overLimit(taken.over, limits, taken.retryMs);
  const { grant } = taken;
  let settled = false;
  return {
    headers,
    settle(end) {
      if (settled) return;
      settled = true;
      // A store that can't be asked now: see Grant.
      grant.settle(usedTokens(end, asked.promptTokens)).catch(() => {});
    },
  };
}

/** Null where nothing tells: what was set aside stays counted. */
function usedTokens(end: AnswerEnd | null, promptTokens: number): number | null {
  if (end === null) return 0;
  if (end.usage !== null) return end.usage.total_tokens;
  return end.characters === 0 ? null : promptTokens + estimateSeenTokens(end.characters);
}

function overLimit(over: LimitKind, limits: TenantLimits, retryMs: number): PreambleError {
  const limit = {
    requests: `${limits.requestsPerMinute} requests a minute`,
    tokens: `${limits.tokensPerMinute} tokens a minute`,
    streams: `${limits.streams} answers at a time`,
  }[over];
  return new PreambleError('rate_limit_exceeded', `The limit of ${limit} is reached.`, {
    action: `Try again in ${formatDuration(retryMs)}.`,
    retryAfterSeconds: retryMs / 1000,
  });
}
