import type { ErrorCode } from '../errors.ts';
import type { CompletionUsage } from '../openai/answer.ts';
import type { Plan } from '../policy/plan.ts';
import type { DecisionRecord } from '../refusal/decision.ts';

/** What came of a request, as the one who asked sees it: answered, turned away for a fault of its own, failed, or given up by who asked. */
export type RequestResult = 'ok' | 'rejected' | 'failed' | 'cancelled';

/** The texts of one choice. */
export interface DecisionContent {
  /** Messages, or a prompt. */
  readonly request: unknown;
  readonly answer: string;
}

/** What is known of an answer when it has ended, however it did. Times are milliseconds. */
export interface AnswerSummary {
  readonly stream: boolean;
  /** Null where nothing counted. */
  readonly usage: CompletionUsage | null;
  /** That were seen of it. */
  readonly characters: number;
  /** One a choice; logged before this is told. */
  readonly decisions: readonly DecisionRecord[];
  /** In the same order; null where texts are not logged. */
  readonly contents: readonly DecisionContent[] | null;
  /** From the request's arrival to the first piece of the answer; null where there was none. */
  readonly firstTokenMs: number | null;
  /** What of that was spent in waiting for the model. */
  readonly upstreamFirstTokenMs: number | null;
  readonly totalMs: number;
  /** What of `totalMs` the gateway itself took. */
  readonly gatewayMs: number;
}

export interface RequestFinished {
  readonly requestId: string;
  readonly method: string;
  /** As it is registered (`/v1/responses/:id`), never as it was asked for; null where there is no such route. */
  readonly route: string | null;
  /** 499 where the client went away before the answer's head. */
  readonly status: number;
  readonly result: RequestResult;
  /** The error that the request ended with, or that ended its stream; null for none. */
  readonly fault: ErrorCode | null;
  /** Null where no key was valid, or the request went no further than its headers. */
  readonly tenant: string | null;
  /** Null where the request was turned away before it was decided who answers. */
  readonly plan: Plan | null;
  /** Null where no answer was begun. */
  readonly answer: AnswerSummary | null;
  readonly totalMs: number;
}

export interface DecisionMade {
  readonly plan: Plan;
  readonly record: DecisionRecord;
  /** Null unless the operator has texts logged, of all tenants or of this one. */
  readonly content: DecisionContent | null;
}

export interface BackendHealthChanged {
  /** The configured model. */
  readonly model: string;
  /** The server's URL, which holds no password. */
  readonly server: string;
  /** Null: it gets requests again. */
  readonly problem: string | null;
}

export interface PromptRejected {
  readonly model: string;
  /** What the configuration names. */
  readonly reference: string | null;
  readonly code: ErrorCode;
}

/** Whoever counts, shows or judges; each hears what it names. What it throws is logged, and is no fault of the request's. */
export interface ObservationListener {
  requestFinished?(event: RequestFinished): void;
  /** One a choice, before the request's own end is told. */
  decisionMade?(event: DecisionMade): void;
  backendHealthChanged?(event: BackendHealthChanged): void;
  /** A prompt that was to be taken over can't be used; the old one stays. */
  promptRejected?(event: PromptRejected): void;
}

/** The one place where what happens becomes events. */
export interface Observations extends Required<ObservationListener> {
  /** Returns how to end it. */
  subscribe(listener: ObservationListener): () => void;
  /** Requests that have come and not ended. */
  inFlight(): number;
  requestStarted(): void;
}

export function createObservations(onError: (error: unknown) => void): Observations {
  /** Replaced, never changed: a listener may end its subscription while it is told. */
  let listeners: readonly ObservationListener[] = [];
  let inFlight = 0;

  function tell(call: (listener: ObservationListener) => void): void {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        onError(error);
      }
    }
  }

  return {
    subscribe(listener) {
      listeners = [...listeners, listener];
      return () => {
        listeners = listeners.filter((other) => other !== listener);
      };
    },
    inFlight: () => inFlight,
    requestStarted() {
      inFlight++;
    },
    requestFinished(event) {
      inFlight--;
      tell((listener) => listener.requestFinished?.(event));
    },
    decisionMade: (event) => tell((listener) => listener.decisionMade?.(event)),
    backendHealthChanged: (event) => tell((listener) => listener.backendHealthChanged?.(event)),
    promptRejected: (event) => tell((listener) => listener.promptRejected?.(event)),
  };
}
