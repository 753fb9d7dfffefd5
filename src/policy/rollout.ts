import { hash } from 'node:crypto';
import type { PlannedPrompt } from './plan.ts';
import type { TenantPolicy } from './snapshot.ts';

/** Who gets which prompt: most get what is stable, a share gets the candidate (or has it tried on a copy of what they asked). */
export type Arm = 'stable' | 'candidate';

/** What an operator says of all that a tenant asks. Nothing else tells: a request does not say of itself that it is harmless. */
export const trafficKinds = ['mixed', 'harmless', 'harmful'] as const;
export type Traffic = (typeof trafficKinds)[number];

/** A candidate that is on its way to become stable, for one model or tenant of it. */
export interface PlannedRollout {
  /** New for each start: two rollouts draw independently. */
  readonly id: string;
  /** Of the prompt. */
  readonly name: string;
  /** Which of its shares holds, from 0. */
  readonly epoch: number;
  /** 0 to 1. */
  readonly share: number;
  /** The candidate answers copies, and nobody gets its answers. */
  readonly shadow: boolean;
  readonly candidate: PlannedPrompt;
}

export interface Conversation {
  /** The same in each of its turns, and different in another one. */
  readonly key: string;
  /** This is its first turn. */
  readonly opens: boolean;
}

/** What one request has to do with a rollout. */
export interface RolloutPart {
  readonly id: string;
  readonly name: string;
  readonly epoch: number;
  readonly arm: Arm;
  readonly traffic: Traffic;
  /** Of the conversation, for counting it once: a digest, from which no text can be read. */
  readonly unit: string;
  /** Whether it counts: of a conversation its first turn does, as the others are no new draw. */
  readonly opens: boolean;
  /** The candidate, where a copy of this request goes to it. */
  readonly shadow: PlannedPrompt | null;
}

/** Hexadecimal digits that make the point: 48 bits, far finer than any share, and exact in a double. */
const POINT_DIGITS = 12;

/**
 * Pure. A conversation of a tenant is a point in [0, 1) that hangs on the rollout's id, and has the candidate where it lies below the share: all of its
 * turns do, on every gateway, and a larger share adds conversations without moving any other.
 */
export function takePart(rollout: PlannedRollout, tenant: TenantPolicy, conversation: Conversation): RolloutPart {
  const { id, name, epoch, share, shadow, candidate } = rollout;
  const unit = hash('sha256', `${id}\0${tenant.id}\0${conversation.key}`);
  const point = Number.parseInt(unit.slice(0, POINT_DIGITS), 16) / 16 ** POINT_DIGITS;
  const arm = point < share ? 'candidate' : 'stable';
  return {
    id,
    name,
    epoch,
    arm,
    traffic: tenant.traffic,
    unit,
    opens: conversation.opens,
    shadow: shadow && arm === 'candidate' ? candidate : null,
  };
}
