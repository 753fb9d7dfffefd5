import type { Arm, Traffic } from '../policy/rollout.ts';
import { type CheckedCondition, checkConditions, parseCondition } from './conditions.ts';
import { type Counts, countOf, DROPPED, type Measure } from './counts.ts';
import { type EventCounts, logEvidence, logMeanExp } from './evidence.ts';
import type { Rollout, RolloutEvidence } from './record.ts';

/** The chance that a candidate which is no worse is ever aborted, over a whole rollout and all guards together. */
export const FALSE_ALARM_RATE = 0.05;
/** Ville's inequality: a fair bet's gain reaches this with at most that chance. */
export const EVIDENCE_LIMIT = 1 / FALSE_ALARM_RATE;
/** e-values are shown and kept up to here; beyond it nobody counts. */
const MOST = 1e12;

interface Guard {
  readonly measure: Measure;
  readonly traffic: readonly Traffic[];
  /** The event is that it was not so. */
  readonly inverted: boolean;
  /** A copy is made later, beside other work: how long it takes says nothing of the candidate. */
  readonly withCopies: boolean;
}

/**
 * What more of counts against a candidate. Of refusals that holds for traffic that is harmless, and for traffic of which nothing is known; where all is
 * known to be harmful it is the other way round.
 */
const guards = {
  refusal: { measure: 'refusal', traffic: ['mixed', 'harmless'], inverted: false, withCopies: true },
  compliance: { measure: 'refusal', traffic: ['harmful'], inverted: true, withCopies: true },
  error: { measure: 'error', traffic: ['mixed', 'harmless', 'harmful'], inverted: false, withCopies: true },
  latency: { measure: 'slow', traffic: ['mixed', 'harmless', 'harmful'], inverted: false, withCopies: false },
  length: { measure: 'length', traffic: ['mixed', 'harmless', 'harmful'], inverted: false, withCopies: true },
} as const satisfies Record<string, Guard>;

export type GuardName = keyof typeof guards;

export interface JudgedGuard {
  readonly guard: GuardName;
  readonly candidate: { readonly events: number; readonly of: number };
  readonly stable: { readonly events: number; readonly of: number };
  /** The e-value. */
  readonly evidence: number;
}

export interface Verdict {
  /** Answers of the candidate that count. */
  readonly requests: number;
  readonly guards: readonly JudgedGuard[];
  /** The mean of the guards'. */
  readonly evidence: number;
  readonly limit: number;
  /** Clearly: it is to be aborted. */
  readonly worse: boolean;
  readonly conditions: readonly CheckedCondition[];
  /** There are conditions, and all of them are met. */
  readonly ready: boolean;
  /** Copies that were not made. */
  readonly dropped: number;
}

/** What the counts say of a rollout. Pure, so every gateway that has the same sums says the same. */
export function judge(rollout: Rollout, counts: Counts): Verdict {
  const epochs = rollout.shares.length;
  const logs: number[] = [];
  const judged = Object.entries(guards).flatMap(([name, guard]) => {
    if (!isGuardName(name) || (rollout.shadow && !guard.withCopies)) return [];
    const log = logEvidence(periodsOf(rollout, counts, guard));
    logs.push(log);
    const of = (arm: Arm) => ({
      events: events(counts, epochs, guard, arm),
      of: tally(counts, epochs, guard, arm, 'n'),
    });
    return [{ guard: name, candidate: of('candidate'), stable: of('stable'), evidence: shown(log) }];
  });
  const evidence = shown(logMeanExp(logs));
  const conditions = checkConditions(rollout.until.map(parseCondition), counts, epochs);
  return {
    requests: countOf(counts, epochs, { arm: 'candidate', measure: 'error', tally: 'n' }),
    guards: judged,
    evidence,
    limit: EVIDENCE_LIMIT,
    worse: evidence >= EVIDENCE_LIMIT,
    conditions,
    ready: conditions.length > 0 && conditions.every(({ state }) => state === 'met'),
    dropped: counts[DROPPED] ?? 0,
  };
}

/** What a record keeps of a verdict. */
export function evidenceOf({ guards: judged, evidence, limit, requests }: Verdict): RolloutEvidence {
  const [strongest] = judged.toSorted((a, b) => b.evidence - a.evidence);
  const none = { events: 0, of: 0 };
  return {
    guard: strongest?.guard ?? 'none',
    candidate: strongest?.candidate ?? none,
    stable: strongest?.stable ?? none,
    byGuard: Object.fromEntries(judged.map((each) => [each.guard, rounded(each.evidence)])),
    mean: rounded(evidence),
    limit,
    requests,
  };
}

/**
 * With copies, both arms answer the same request, and what counts is where they differ: either is as likely as the other to be the one (McNemar's
 * test, as a bet). Requests whose copy was dropped are in neither arm.
 */
function periodsOf({ shadow, shares }: Rollout, counts: Counts, guard: Guard): EventCounts[] {
  if (shadow) {
    const only = (arm: Arm) => tally(counts, shares.length, guard, arm, 'only');
    const [candidate, stable] = [only('candidate'), only('stable')];
    return [guard.inverted ? { share: 0.5, candidate: stable, stable: candidate } : { share: 0.5, candidate, stable }];
  }
  return shares.map((share, epoch) => ({
    share,
    candidate: events(counts, shares.length, guard, 'candidate', epoch),
    stable: events(counts, shares.length, guard, 'stable', epoch),
  }));
}

function events(counts: Counts, epochs: number, guard: Guard, arm: Arm, epoch?: number): number {
  const k = tally(counts, epochs, guard, arm, 'k', epoch);
  return guard.inverted ? tally(counts, epochs, guard, arm, 'n', epoch) - k : k;
}

function tally(
  counts: Counts,
  epochs: number,
  guard: Guard,
  arm: Arm,
  which: 'n' | 'k' | 'only',
  epoch?: number,
): number {
  const { measure, traffic } = guard;
  return countOf(counts, epochs, { arm, measure, tally: which, traffic, ...(epoch !== undefined && { epoch }) });
}

function isGuardName(name: string): name is GuardName {
  return name in guards;
}

function shown(log: number): number {
  return Math.min(MOST, Math.exp(log));
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
