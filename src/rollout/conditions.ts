import { nearest } from '../config/nearest.ts';
import { PreambleError } from '../errors.ts';
import { type Traffic, trafficKinds } from '../policy/rollout.ts';
import { quote } from '../prompts/name.ts';
import { rateBounds } from './bounds.ts';
import { type Counts, countOf, type Measure } from './counts.ts';

/** What must be shown of a candidate before it is ready: a measure of its own answers, on all of its traffic or a part, held against a limit. */
export interface Condition {
  /** As it was written, with single spaces. */
  readonly text: string;
  /** Null: requests are counted, not a rate of them. */
  readonly measure: Measure | null;
  readonly traffic: Traffic | null;
  readonly operator: '<=' | '>=';
  /** A rate from 0 to 1, or a number of requests. */
  readonly limit: number;
}

export interface CheckedCondition {
  readonly text: string;
  /** `met`: shown. `missed`: the opposite is shown. `open`: neither yet. */
  readonly state: 'met' | 'missed' | 'open';
  readonly requests: number;
  /** Null for a number of requests, and where there is none yet. */
  readonly rate: number | null;
  /** Where the rate lies, with the confidence below; null for a number of requests. */
  readonly low: number | null;
  readonly high: number | null;
}

/** What all bounds together may be wrong with. */
const ALPHA = 0.05;
/** Far more than anybody would wait for. */
export const MAX_CONDITIONS = 16;
export const MAX_CONDITION_LENGTH = 200;
const MAX_REQUESTS = 1e9;

const rates: Readonly<Record<string, Measure>> = {
  'refusal-rate': 'refusal',
  'error-rate': 'error',
  'slow-rate': 'slow',
  'odd-length-rate': 'length',
};
const names = [...Object.keys(rates), 'requests'];
const FORM = /^(\S+)(?: on (\S+))? (<=|>=) (\S+)$/;
const PERCENT = /^(\d{1,3}(?:\.\d{1,6})?)%$/;
const COUNT = /^\d{1,10}$/;

/** `refusal-rate on harmless <= 5%`, `error-rate <= 1%`, `requests >= 1000`. Throws `rollout_invalid`. */
export function parseCondition(written: string): Condition {
  const text = written
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/ ?(<=|>=) ?/, ' $1 ');
  const [, name = '', traffic, operator, value = ''] = FORM.exec(text) ?? [];
  if (text.length > MAX_CONDITION_LENGTH || (operator !== '<=' && operator !== '>=')) {
    throw invalid(text, 'it is not of the form MEASURE [on TRAFFIC] <= LIMIT', 'Write refusal-rate on harmless <= 5%.');
  }
  if (!names.includes(name)) throw invalid(text, `there is no measure ${quote(name)}`, oneOf(name, names));
  const kind = trafficKinds.find((known) => known === traffic);
  if (traffic !== undefined && kind === undefined) {
    throw invalid(text, `there is no traffic ${quote(traffic)}`, oneOf(traffic, trafficKinds));
  }
  const measure = rates[name] ?? null;
  return { text, measure, traffic: kind ?? null, operator, limit: limitOf(text, measure, operator, value) };
}

function limitOf(text: string, measure: Measure | null, operator: Condition['operator'], value: string): number {
  if (measure === null) {
    if (operator !== '>=') throw invalid(text, 'requests only grow', 'Write requests >= 1000.');
    const count = COUNT.test(value) ? Number(value) : 0;
    if (count >= 1 && count <= MAX_REQUESTS) return count;
    throw invalid(
      text,
      `${quote(value)} is no number of requests`,
      'Write a whole number from 1, as in requests >= 1000.',
    );
  }
  const percent = Number(PERCENT.exec(value)?.[1] ?? Number.NaN);
  if (percent >= 0 && percent <= 100) return percent / 100;
  throw invalid(text, `${quote(value)} is no rate`, 'Write it in per cent, from 0% to 100%.');
}

/**
 * Rates are held against bounds that hold however often one looks, so that a lucky moment meets nothing. All bounds of a rollout together are right with 95%
 * probability.
 */
export function checkConditions(
  conditions: readonly Condition[],
  counts: Counts,
  epochs: number,
): readonly CheckedCondition[] {
  const alpha = ALPHA / Math.max(1, conditions.filter(({ measure }) => measure !== null).length);
  return conditions.map(({ text, measure, traffic, operator, limit }) => {
    const of = {
      arm: 'candidate',
      measure: measure ?? 'error',
      ...(traffic !== null && { traffic: [traffic] }),
    } as const;
    const requests = countOf(counts, epochs, { ...of, tally: 'n' });
    if (measure === null) {
      return { text, state: requests >= limit ? 'met' : 'open', requests, rate: null, low: null, high: null };
    }
    const events = countOf(counts, epochs, { ...of, tally: 'k' });
    const { low, high } = rateBounds(events, requests, alpha);
    const isAtMost = operator === '<=';
    const met = isAtMost ? high <= limit : low >= limit;
    const missed = isAtMost ? low > limit : high < limit;
    const state = met ? 'met' : missed ? 'missed' : 'open';
    return { text, state, requests, rate: requests === 0 ? null : events / requests, low, high };
  });
}

function oneOf(given: string, known: readonly string[]): string {
  const meant = nearest(given, known);
  return meant === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${meant}?`;
}

function invalid(text: string, what: string, action: string): PreambleError {
  return new PreambleError('rollout_invalid', `The condition ${quote(text)} can't be used: ${what}.`, { action });
}
