import { type EventCounts, logEvidence, logMeanExp } from '../../src/rollout/evidence.ts';
import { EVIDENCE_LIMIT } from '../../src/rollout/judge.ts';

/** mulberry32: the same rollouts in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Simulated {
  readonly share: number;
  /** How many conversations a rollout has at most. */
  readonly conversations: number;
  /** Per guard: how often it happens under the stable prompt; may hang on how far the rollout is, from 0 to 1. */
  readonly rates: readonly ((progress: number) => number)[];
  /** Per guard: how many times as often under the candidate. */
  readonly ratios: readonly number[];
}

/** Looks after every conversation. Answers of the candidate until it was aborted; null where it never was. */
export function simulate({ share, conversations, rates, ratios }: Simulated, random: () => number): number | null {
  const counts = rates.map(() => ({ share, candidate: 0, stable: 0 }));
  const logs = rates.map(() => 0);
  const limit = Math.log(EVIDENCE_LIMIT);
  let answers = 0;
  for (let index = 0; index < conversations; index++) {
    const arm = random() < share ? 'candidate' : 'stable';
    if (arm === 'candidate') answers++;
    let changed = false;
    for (const [guard, rate] of rates.entries()) {
      const factor = arm === 'candidate' ? (ratios[guard] ?? 1) : 1;
      if (random() >= rate(index / conversations) * factor) continue;
      const count: { -readonly [Field in keyof EventCounts]: number } | undefined = counts[guard];
      if (count === undefined) continue;
      count[arm]++;
      logs[guard] = logEvidence([count]);
      changed = true;
    }
    if (changed && logMeanExp(logs) >= limit) return answers;
  }
  return null;
}
