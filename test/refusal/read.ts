import type { FinishReason } from '../../src/openai/answer.ts';
import type { Decision } from '../../src/refusal/decision.ts';
import type { RefusalDetector } from '../../src/refusal/detector.ts';
import { createRefusalDetector } from '../../src/refusal/phrase-detector.ts';

export const phrases = createRefusalDetector();

/** The decision on a whole text. */
export function decide(
  text: string,
  finish: FinishReason | null = 'stop',
  detector: RefusalDetector = phrases,
): Decision {
  const observer = detector.start();
  observer.push(text);
  return observer.end(finish);
}
