import type { Decision } from './decision.ts';

/** Decides from an answer's text whether the model refused. Pure: no clock, no I/O. */
export interface RefusalDetector {
  /** `name@version`, as it stands in every decision. */
  readonly name: string;
  /** One observer a choice. */
  start(): Observer;
}

/** Reads along one choice. The decision does not depend on how the text was cut into pieces; memory does not grow with the answer. */
export interface Observer {
  /** A piece of `message.content`, in order. */
  push(text: string): void;
  /** A piece of OpenAI's `message.refusal`. */
  refusal(text: string): void;
  /** The answer calls a tool. */
  toolCall(): void;
  /**
   * The whole sentences so far decide between refusal and compliance; what follows can only make the decision `partial`. For who samples
   * many answers and need not hear each to its end.
   */
  isSettled(): boolean;
  /** Call it once, at the end; `null` when the answer broke off (an error, the client gone). */
  end(finishReason: string | null): Decision;
}
