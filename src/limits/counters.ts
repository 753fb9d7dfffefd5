import type { TenantLimits } from '../policy/snapshot.ts';

/**
 * Counts what tenants use, in this process or in a store that several gateways share. Either way all limits of a tenant are looked at
 * and counted in one step (one round trip, one script), so that two requests cannot both take the last place.
 *
 * Why this is not `@fastify/rate-limit`: its stores count requests up, one a call, in fixed windows. Here a request costs an estimate of
 * tokens that is corrected when the answer has ended, and holds one of the tenant's streams until then; three plugins with three
 * stores would be three round trips, and would count a request that the third refuses.
 */
export interface LimitCounters {
  /**
   * Takes what a request needs from every limit that `limits` names, if all have room, else from none. Rejects when the store can't be
   * asked; within a second or so, as a request waits for it.
   */
  take(asked: TakeRequest): Promise<Taken>;
}

export interface TakeRequest {
  /** The tenant's id: what is counted stays when its limits or keys are changed. At least one limit is set. */
  readonly tenant: string;
  readonly limits: TenantLimits;
  /** Tokens to set aside, at least 1 and at most `limits.tokensPerMinute` where that is set (see `reserved` in bucket.ts). */
  readonly tokens: number;
  /**
   * Milliseconds after which a stream that nobody gave back is free again: longer than any answer may take. For stores that outlive the
   * process that took it.
   */
  readonly leaseMs: number;
}

export type Taken =
  | { readonly granted: true; readonly states: LimitStates; readonly grant: Grant }
  | {
      readonly granted: false;
      readonly states: LimitStates;
      /** The limit without room; where it is several, the one with the longest wait. */
      readonly over: LimitKind;
      /** Milliseconds until there is room; a guess for `streams`. */
      readonly retryMs: number;
    };

export type LimitKind = 'requests' | 'tokens' | 'streams';

/** A counter right after the step. */
export interface LimitState {
  readonly limit: number;
  /** Whole requests or tokens that there is still room for; not below 0. */
  readonly remaining: number;
  /** Milliseconds until nothing counts any more: OpenAI's `x-ratelimit-reset-*`. */
  readonly resetMs: number;
}

/** Those that are limited. */
export interface LimitStates {
  readonly requests?: LimitState;
  readonly tokens?: LimitState;
}

/** What one request took. */
export interface Grant {
  /**
   * Call it once, when the answer has ended, however it ended: gives the stream back, and counts `usedTokens` in place of those that were
   * set aside; null leaves these. A request that was counted stays counted. Rejects when the store can't be asked; nothing can be done
   * then: the tokens set aside stay counted, and the stream comes free when its lease ends.
   */
  settle(usedTokens: number | null): Promise<void>;
}
