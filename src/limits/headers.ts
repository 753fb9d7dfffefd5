import type { LimitState, LimitStates } from './counters.ts';

/** OpenAI's `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, for the limits that there are. */
export function limitHeaders({ requests, tokens }: LimitStates): Record<string, string> {
  return { ...headersOf('requests', requests), ...headersOf('tokens', tokens) };
}

function headersOf(kind: string, state: LimitState | undefined): Record<string, string> {
  if (state === undefined) return {};
  return {
    [`x-ratelimit-limit-${kind}`]: String(state.limit),
    [`x-ratelimit-remaining-${kind}`]: String(state.remaining),
    [`x-ratelimit-reset-${kind}`]: formatDuration(state.resetMs),
  };
}

/** As Go prints durations, and so OpenAI: `12ms`, `1s`, `8.64s`, `6m0s`, `1h0m2.5s`. */
export function formatDuration(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole > 0 && whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}
