/** What is to become of a choice, by all of its text so far. */
export type Verdict =
  | { readonly action: 'pass' }
  | {
      readonly action: 'replace';
      /** A code, for logs and metrics; never a word of the answer. */
      readonly reason: string;
      /** What the client reads in its place; the settings' own text if left out. */
      readonly text?: string;
    };

/** The answer that a choice is of. */
export interface GuardedAnswer {
  readonly requestId: string;
  readonly tenant: string;
  /** The name that the client asked for. */
  readonly model: string;
  /** `name@version`, or `none`. */
  readonly prompt: string;
  readonly choice: number;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Judges answers as they pass. What it throws, or rejects with, is a guard that is not available. */
export interface Guard {
  /** As it stands in every decision. */
  readonly name: string;
  /** One judge a choice. */
  start(answer: GuardedAnswer): Judge;
}

/** Reads along one choice. It is called again only when its last verdict has come; what came in between is then one piece. */
export interface Judge {
  /** The next piece of what the choice says. Null: no verdict yet. */
  push(text: string): Verdict | null | Promise<Verdict>;
  /** There is no more of it. */
  end(): Verdict | Promise<Verdict>;
}

/** A guard, and what the operator wants of it. */
export interface GuardPolicy {
  readonly guard: Guard;
  /** Nothing goes to the client that has no verdict. */
  readonly holdsBack: boolean;
  readonly onUnavailable: 'pass' | 'replace';
  readonly replacement: string;
  /** Each time that the guard could not be asked. */
  onFault(error: unknown): void;
}

/** `would-replace`: the tenant's mode is `monitor`, and the client got the answer as it was. */
export type GuardAction = 'passed' | 'replaced' | 'would-replace';

/** What came of one choice, for its decision. */
export interface GuardFinding {
  readonly name: string;
  readonly action: GuardAction;
  /** The guard's code; `unavailable` where it could not be asked at least once, and the settings decided; else null. */
  readonly reason: string | null;
}

export const UNAVAILABLE = 'unavailable';
