/**
 * A limit of N a minute as a bucket: it holds N, is full at the start, and N a minute flow in evenly. OpenAI's headers are made for
 * this (`reset`: "the time until the rate limit resets to its initial state"). Against windows: a fixed one lets 2 N through within
 * a second, around its edge; and every window forgets at its end what was used beyond N, which here happens all the time, as
 * tokens are counted when an answer has ended. A bucket goes into debt and pays it, so that over time no more than N a minute pass.
 * Two numbers a limit, whatever N is. All functions are pure; a shared store computes the same from the same two numbers.
 */
export interface Bucket {
  /** What was taken and has not flowed back in; more than the limit while in debt. */
  readonly spent: number;
  /** When `spent` was true, in milliseconds. */
  readonly at: number;
}

export const fullBucket: Bucket = { spent: 0, at: 0 };

const MINUTE_MS = 60_000;

/** `spent(now) = max(0, spent - (now - at) N / 60 s)`. A clock that was set back makes nothing flow. */
export function spentAt({ spent, at }: Bucket, limit: number, now: number): number {
  return Math.max(0, spent - (Math.max(0, now - at) * limit) / MINUTE_MS);
}

/** Milliseconds until `cost` can be taken; 0 if it can now. */
export function waitFor(spent: number, limit: number, cost: number): number {
  return flowMs(spent + cost - limit, limit);
}

/** Milliseconds in which `amount` flows in. */
export function flowMs(amount: number, limit: number): number {
  return amount <= 0 ? 0 : Math.ceil((amount * MINUTE_MS) / limit);
}

/**
 * What is set aside for an estimate. One of more than the limit would never be granted, though the answer may be short (applications
 * set `max_tokens` far above what they get); it takes the whole bucket instead, and its debt, if it comes to that, is paid.
 */
export function reserved(estimate: number, limit: number): number {
  return Math.min(Math.max(1, Math.ceil(estimate)), limit);
}
