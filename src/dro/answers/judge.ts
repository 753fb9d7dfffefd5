import type { RefusalDetector } from '../../refusal/detector.ts';
import { createRefusalDetector } from '../../refusal/phrase-detector.ts';
import type { Answer } from './answer-source.ts';

/** Puts an answer together and reads along. */
export interface AnswerJudge {
  push(text: string): void;
  /** A piece of OpenAI's `message.refusal`. */
  refusal(text: string): void;
  toolCall(): void;
  /** More text would not change the decision, and none is wanted then. */
  readonly enough: boolean;
  end(finishReason: string, completionTokens: number): Answer;
}

const shipped = createRefusalDetector();

/** The name and version of the detector that decides. */
export const judgedBy: string = shipped.name;

export function createJudge(untilDecided: boolean, detector: RefusalDetector = shipped): AnswerJudge {
  const observer = detector.start();
  let text = '';
  return {
    push(piece) {
      text += piece;
      observer.push(piece);
    },
    refusal: (piece) => observer.refusal(piece),
    toolCall: () => observer.toolCall(),
    get enough() {
      return untilDecided && observer.isSettled();
    },
    end: (finishReason, completionTokens) => ({
      text,
      finishReason,
      completionTokens,
      decision: observer.end(finishReason),
    }),
  };
}
