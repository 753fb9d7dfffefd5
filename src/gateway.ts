import type { Backend } from './backends/backend.ts';
import type { Readiness } from './backends/readiness.ts';
import type { Limits } from './config/schema.ts';
import type { PolicySnapshot } from './policy/decide-plan.ts';
import type { RefusalDetector } from './refusal/detector.ts';

/** Everything that routes need, made at start and handed to them. */
export interface Gateway {
  readonly policy: PolicySnapshot;
  /** By the name that clients use. */
  readonly backends: ReadonlyMap<string, Backend>;
  readonly readiness: Readiness;
  readonly detector: RefusalDetector;
  readonly limits: Limits;
  /** Texts of requests and answers are logged. */
  readonly logContent: boolean;
}
