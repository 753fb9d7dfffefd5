/** Milliseconds before the second attempt to connect: a restart of Redis takes about as long. */
const FIRST_DELAY_MS = 100;
/** A Redis that has been away for long is looked for this often, by each gateway. */
const MAX_DELAY_MS = 5_000;

/**
 * Milliseconds to wait before attempt number `attempts + 1`: doubling, and drawn from the upper half of that, so that gateways which
 * lost the same Redis at the same moment do not all come back at the same moment ("equal jitter" of Brooker, Exponential Backoff And
 * Jitter). `random` is from [0, 1).
 */
export function reconnectDelay(attempts: number, random: number = Math.random()): number {
  // 2^20 times the first delay is far above the limit, and far below what a number can hold.
  const doubled = FIRST_DELAY_MS * 2 ** Math.min(Math.max(0, attempts - 1), 20);
  const limit = Math.min(doubled, MAX_DELAY_MS);
  return Math.round(limit / 2 + (random * limit) / 2);
}
