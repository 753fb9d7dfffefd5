import { toError } from '../errors.ts';
import type { RolloutStatus, Rollouts } from '../rollout/rollouts.ts';

/** Gateways add their counts once a second; the page may be that late. With many readers, the store is asked once for all of them. */
const READ_EVERY_MS = 3_000;

export type RolloutsState =
  | { readonly kind: 'known'; readonly statuses: readonly RolloutStatus[] }
  /** There is no place for them. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface RolloutsReader {
  /** As of some seconds ago at most. Never throws. */
  read(): Promise<RolloutsState>;
}

export function createRolloutsReader(rollouts: Rollouts | null, clock: () => number): RolloutsReader {
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<RolloutsState> = Promise.resolve({ kind: 'none' });

  async function ask(from: Rollouts): Promise<RolloutsState> {
    try {
      return { kind: 'known', statuses: await from.statuses() };
    } catch (error) {
      return { kind: 'unavailable', reason: toError(error).message };
    }
  }

  return {
    read() {
      const now = clock();
      if (rollouts !== null && Math.abs(now - readAt) >= READ_EVERY_MS) {
        readAt = now;
        reading = ask(rollouts);
      }
      return reading;
    },
  };
}
