import type { Backend } from './backends/backend.ts';
import type { Readiness } from './backends/readiness.ts';
import type { Limits } from './config/schema.ts';
import type { ResponseStore } from './openai/responses/store.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import type { RefusalDetector } from './refusal/detector.ts';

/** One state of everything that may change while the gateway runs; replaced as a whole. A request keeps its own to its end. */
export interface Snapshot {
  /** Counts up from 1. */
  readonly generation: number;
  readonly policy: PolicySnapshot;
  /** By configured name. */
  readonly backends: ReadonlyMap<string, Backend>;
  /** Texts of requests and answers are logged. */
  readonly logContent: boolean;
}

/** Everything that routes need, made at start and handed to them. */
export interface Gateway {
  current(): Snapshot;
  readonly readiness: Readiness;
  readonly detector: RefusalDetector;
  /** Where answers of `/v1/responses` are kept; null: they are not. */
  readonly responses: ResponseStore | null;
  /** Fixed at start, as is where the gateway listens. */
  readonly limits: Limits;
}
