import type { CheckedCondition } from './conditions.ts';
import type { JudgedGuard } from './judge.ts';

const words: Readonly<Record<string, string>> = {
  refusal: 'refused',
  compliance: 'harmful, not refused',
  error: 'failed',
  latency: 'slow',
  length: 'odd length',
};

/** What a guard counts, as people read it. */
export function guardText(guard: string): string {
  return words[guard] ?? guard;
}

export function partText({ events, of }: JudgedGuard['stable']): string {
  return of === 0 ? '-' : `${rateText(events / of)} of ${of}`;
}

function rateText(rate: number): string {
  return `${Number((rate * 100).toFixed(rate < 0.1 ? 2 : 1))}%`;
}

export function evidenceText(evidence: number): string {
  return evidence >= 100 ? evidence.toPrecision(3) : evidence.toFixed(2);
}

export function conditionText({ state, requests, rate, low, high }: CheckedCondition): string {
  const said = { met: 'met', missed: 'missed', open: 'not shown yet' }[state];
  if (low === null || high === null) return `${said} (${requests})`;
  const now = rate === null ? 'no requests yet' : `${rateText(rate)} of ${requests}`;
  return `${said} (${now}; between ${rateText(low)} and ${rateText(high)})`;
}

/** `in 5% of conversations`. */
export function sharingText(shadow: boolean, share: number): string {
  return shadow ? `on copies of ${rateText(share)} of conversations` : `in ${rateText(share)} of conversations`;
}
