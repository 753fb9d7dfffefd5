import type { Decision } from '../../refusal/decision.ts';
import type { PromptUnderTest } from './prompt-under-test.ts';

/** Who answers queries: the model in this process, or model servers. */
export interface AnswerSource {
  /** As many requests at a time keep it busy. */
  readonly concurrency: number;
  /** Names what answers, model and precision, as far as it is known: a part of the identity of what is cached. */
  readonly name: string;
  /** Throws PreambleError, or the signal's reason. */
  answer(request: AnswerRequest, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

export interface AnswerRequest {
  readonly query: string;
  readonly prompt: PromptUnderTest;
  readonly sampling: AnswerSampling;
  readonly maxTokens: number;
  /**
   * End the answer as soon as whole sentences decide between refusal and compliance. An answer that was refused in its first sentence
   * and half given later is then `refused`, not `partial`.
   */
  readonly untilDecided?: boolean;
}

/** Temperature 0 takes the likeliest token always. Otherwise the same seed gives the same answer, as far as the source can promise it. */
export type AnswerSampling =
  | { readonly temperature: 0 }
  | {
      readonly temperature: number;
      readonly topP: number;
      /** Left out: every token may be drawn. */
      readonly topK?: number;
      readonly seed: number;
    };

export interface Answer {
  readonly text: string;
  /** `stop`, `length`, `decided` (see `untilDecided`), or the server's own word. */
  readonly finishReason: string;
  /** As the source counted; of an answer that a server was told to end, the number of pieces. */
  readonly completionTokens: number;
  readonly decision: Decision;
}
