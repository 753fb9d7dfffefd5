import type { Gateway } from '../gateway.ts';
import type { Recorder } from './recorder.ts';
import type { RolloutsState } from './rollouts-reader.ts';

/** What is shown, at one moment. */
export interface DashboardState {
  readonly gateway: Gateway;
  readonly recorder: Recorder;
  readonly rollouts: RolloutsState;
  /** Milliseconds since 1970. */
  readonly now: number;
}
