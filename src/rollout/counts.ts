import { type Arm, type Traffic, trafficKinds } from '../policy/rollout.ts';

/** What is counted of an answer: how many there were, and of how many it was so. */
export const measures = ['error', 'refusal', 'slow', 'length'] as const;
export type Measure = (typeof measures)[number];

/**
 * `n`: looked at. `k`: of these, it was so. `only`: of these, it was so here and not with the other arm's answer to the very same
 * request; with copies alone.
 */
export type Tally = 'n' | 'k' | 'only';

/** Sums by field. They only grow, so those of gateways can be added in any order. */
export type Counts = Readonly<Record<string, number>>;

/** Copies that were not made, as too many were under way. */
export const DROPPED = 'dropped';

const FIELD =
  /^(?:dropped|\d{1,3}\/(?:stable|candidate)\/(?:mixed|harmless|harmful)\/(?:error|refusal|slow|length)\/(?:n|k|only))$/;

export interface CountedPlace {
  readonly epoch: number;
  readonly arm: Arm;
  readonly traffic: Traffic;
}

export function countField({ epoch, arm, traffic }: CountedPlace, measure: Measure, tally: Tally): string {
  return `${epoch}/${arm}/${traffic}/${measure}/${tally}`;
}

export function addCounts(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [field, count] of Object.entries(b)) sum[field] = (sum[field] ?? 0) + count;
  return sum;
}

/** What a store holds. Fields that are none of ours, and values that are no counts, are passed over. */
export function readCounts(fields: Readonly<Record<string, unknown>>): Counts {
  const counts: Record<string, number> = {};
  for (const [field, value] of Object.entries(fields)) {
    const count = Number(value);
    if (FIELD.test(field) && Number.isSafeInteger(count) && count >= 0) counts[field] = count;
  }
  return counts;
}

export interface Selection {
  readonly arm: Arm;
  readonly measure: Measure;
  readonly tally: Tally;
  /** All where it is left out. */
  readonly traffic?: readonly Traffic[];
  readonly epoch?: number;
}

export function countOf(counts: Counts, epochs: number, selection: Selection): number {
  const { arm, measure, tally, traffic = trafficKinds, epoch } = selection;
  let sum = 0;
  for (let index = 0; index < epochs; index++) {
    if (epoch !== undefined && epoch !== index) continue;
    for (const kind of traffic) sum += counts[countField({ epoch: index, arm, traffic: kind }, measure, tally)] ?? 0;
  }
  return sum;
}
