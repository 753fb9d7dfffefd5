import type { IncomingHttpHeaders } from 'node:http';
import type { Plan } from '../policy/plan.ts';
import type { RequestFinished } from './observations.ts';

/** What a request's model is asked for, in the words of OpenTelemetry's conventions for generative AI. */
export type Operation = 'chat' | 'text_completion';

/** One request's spans. */
export interface RequestTrace {
  /** Begins the span of the model's answer. Returns the W3C headers that a model server gets, so that its own spans are below it. */
  asking(operation: Operation, plan: Plan): Readonly<Record<string, string>>;
  finished(event: RequestFinished): void;
}

/** Made only where `tracing` is configured: nothing of OpenTelemetry is loaded else, and a request costs nothing. */
export interface Tracing {
  /** `arrivedAt` is on `performance.now()`'s clock. The caller's W3C headers say which trace it belongs to. */
  begin(headers: IncomingHttpHeaders, arrivedAt: number): RequestTrace;
  /** Sends what is left, within a few seconds. */
  close(): Promise<void>;
}
