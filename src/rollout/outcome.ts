import type { AnswerSummary, RequestFinished } from '../telemetry/observations.ts';

/** What of an answer is held against a candidate, or for it. */
export interface Outcome {
  /** It could not be given, or broke off, and not by the client's doing. */
  readonly failed: boolean;
  /** Its first choice refuses: those of one answer are alike, and count once. */
  readonly refused: boolean;
  readonly ms: number;
  readonly characters: number;
}

/** Null where nothing can be said: the request was turned away for a fault of its own, or whoever asked went away. */
export function outcomeOf({ result, answer }: Pick<RequestFinished, 'result' | 'answer'>): Outcome | null {
  if (result === 'failed') return { failed: true, refused: false, ms: 0, characters: 0 };
  return result === 'ok' && answer !== null ? outcomeOfAnswer(answer) : null;
}

export function outcomeOfAnswer({ decisions, totalMs, characters }: AnswerSummary): Outcome {
  return { failed: false, refused: decisions[0]?.decision === 'refused', ms: totalMs, characters };
}
