import type { Backend } from './backends/backend.ts';
import type { Readiness } from './backends/readiness.ts';
import type { Limits } from './config/schema.ts';
import type { GuardPolicy } from './guard/guard.ts';
import type { LimitCounters } from './limits/counters.ts';
import type { ResponseStore } from './openai/responses/store.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import type { KnownPrompts } from './prompts/known-prompts.ts';
import type { RedisState } from './redis/connection.ts';
import type { RefusalDetector } from './refusal/detector.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import type { Observations } from './telemetry/observations.ts';

/** One state of everything that may change while the gateway runs; replaced as a whole. A request keeps its own to its end. */
export interface Snapshot {
  /** Counts up from 1. */
  readonly generation: number;
  readonly policy: PolicySnapshot;
  /** By configured name. */
  readonly backends: ReadonlyMap<string, Backend>;
  /** Texts of requests and answers are logged. */
  readonly logContent: boolean;
  /** What judges answers; null for nothing. */
  readonly guard: GuardPolicy | null;
}

/** Everything that routes need, made at start and handed to them. */
export interface Gateway {
  current(): Snapshot;
  /** The current one, for a request to keep: what it holds is not closed before {@link release}. */
  hold(): Snapshot;
  release(snapshot: Snapshot): void;
  /** Hears of every request, decision and change of health. */
  readonly observations: Observations;
  /** Null where there is no place for them. */
  readonly rollouts: Rollouts | null;
  /** Those that models, tenants and rollouts have now, and what lies in the directories at this moment. Throws `file_unreadable`. */
  findPrompts(): Promise<KnownPrompts>;
  readonly readiness: Readiness;
  readonly detector: RefusalDetector;
  /** Where answers of `/v1/responses` are kept; null: they are not. */
  readonly responses: ResponseStore | null;
  /** How it stands with Redis; null where none is configured. */
  redisState(): RedisState | null;
  /** Digest of the password for operators; null: they are not asked for one. */
  adminPassword(): Buffer | null;
  /** Of tenants' limits. */
  readonly counters: LimitCounters;
  /** Fixed at start, as is where the gateway listens. */
  readonly limits: Limits;
  /** Further paths that are handed on untouched; fixed at start. */
  readonly passThrough: readonly string[];
}
