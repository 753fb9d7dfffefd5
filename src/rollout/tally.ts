import type { RolloutPart } from '../policy/rollout.ts';
import { type Counts, countField, type Measure, measures } from './counts.ts';
import type { Outcome } from './outcome.ts';
import { createUsual } from './usual.ts';

/** Conversations that are remembered as counted, a digest of 16 digits each: some 10 MB at the most. */
const MAX_REMEMBERED = 100_000;
const REMEMBERED_DIGITS = 16;
/** Slower than 95 of 100 answers of the stable prompt. */
const SLOW = 0.95;
/** Shorter than 95 of 100, or longer. */
const SHORT = 0.05;
const LONG = 0.95;

/** How one rollout goes, as one gateway sees it. */
export interface Tally {
  /** What an answer adds; nothing where its conversation was counted already. */
  one(part: RolloutPart, outcome: Outcome): Counts;
  /** What the two answers to one request add: the client's, under the stable prompt, and the copy's. */
  pair(part: RolloutPart, stable: Outcome, candidate: Outcome): Counts;
}

type Events = Readonly<Record<Measure, boolean | null>>;

export function createTally(): Tally {
  const latency = createUsual(0, SLOW);
  const length = createUsual(SHORT, LONG);
  /** In the order of their last use; the oldest is forgotten first. */
  const counted = new Set<string>();

  /** A conversation is one draw, however often it comes: its requests hang together, and the bets need what does not. */
  function isNew({ unit, opens }: RolloutPart): boolean {
    if (!opens) return false;
    const short = unit.slice(0, REMEMBERED_DIGITS);
    const known = counted.delete(short);
    counted.add(short);
    const [oldest] = counted;
    if (counted.size > MAX_REMEMBERED && oldest !== undefined) counted.delete(oldest);
    return !known;
  }

  function eventsOf({ failed, refused, ms, characters }: Outcome): Events {
    if (failed) return { error: true, refusal: null, slow: null, length: null };
    return {
      error: false,
      refusal: refused,
      slow: latency.isOutside(ms),
      // Refusals are short, and counted as refusals.
      length: refused ? null : length.isOutside(characters),
    };
  }

  function learn({ failed, refused, ms, characters }: Outcome): void {
    if (failed) return;
    latency.add(ms);
    if (!refused) length.add(characters);
  }

  return {
    one(part, outcome) {
      if (!isNew(part)) return {};
      const events = eventsOf(outcome);
      if (part.arm === 'stable') learn(outcome);
      const counts: Record<string, number> = {};
      for (const measure of measures) {
        const event = events[measure];
        if (event === null) continue;
        counts[countField(part, measure, 'n')] = 1;
        if (event) counts[countField(part, measure, 'k')] = 1;
      }
      return counts;
    },
    pair(part, stable, candidate) {
      if (!isNew(part)) return {};
      const [first, second] = [eventsOf(stable), eventsOf(candidate)];
      learn(stable);
      const counts: Record<string, number> = {};
      const add = (arm: RolloutPart['arm'], measure: Measure, event: boolean, other: boolean) => {
        const place = { ...part, arm };
        counts[countField(place, measure, 'n')] = 1;
        if (event) counts[countField(place, measure, 'k')] = 1;
        if (event && !other) counts[countField(place, measure, 'only')] = 1;
      };
      for (const measure of measures) {
        const [ours, theirs] = [first[measure], second[measure]];
        if (ours === null || theirs === null) continue;
        add('stable', measure, ours, theirs);
        add('candidate', measure, theirs, ours);
      }
      return counts;
    },
  };
}
