import type { Counts } from './counts.ts';
import type { Rollout } from './record.ts';

/** Sums that one gateway has not told yet. Told again after a broken connection, they count once. */
export interface CountBatch {
  /** Of the gateway's process. */
  readonly gateway: string;
  /** Counts up from 1, per rollout. */
  readonly number: number;
  readonly counts: Counts;
}

/** Where gateways and operators agree on rollouts: Redis, or a file for one gateway alone. */
export interface RolloutStore {
  /** Those that have ever been, the latest of each name. Throws `rollout_invalid`, `redis_unavailable`, `file_unreadable`. */
  list(): Promise<readonly Rollout[]>;
  /** The latest of a prompt's name; null where there was none. */
  read(name: string): Promise<Rollout | null>;
  /** Replaces it by what `step` makes of it, at once for everybody; `step` is called anew where somebody else was faster. */
  change(name: string, step: (before: Rollout | null) => Rollout): Promise<Rollout>;
  /** The sums of all gateways. */
  counts(id: string): Promise<Counts>;
  /** Adds, and tells the sums of all gateways. */
  add(id: string, batch: CountBatch): Promise<Counts>;
  /** Calls `onChange` soon after somebody has changed one; it may be missed. */
  watch(onChange: () => void): void;
}
