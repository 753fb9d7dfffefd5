import type { Answer } from '../answers/answer-source.ts';
import type { PromptUnderTest } from '../answers/prompt-under-test.ts';
import type { QueryCount } from './count-refusals.ts';

/** What collecting anchors reports, for progress and a summary. */
export type AnchorEvent =
  /** Work under one prompt begins; so many queries have their state, and their answers, from an earlier run. */
  | { kind: 'begin'; prompt: PromptUnderTest; states: number; answered: number }
  | { kind: 'states'; done: number }
  | { kind: 'answer'; answer: Answer }
  /** All answers to a query are counted, and kept. */
  | { kind: 'query'; count: QueryCount }
  | { kind: 'end'; prompt: PromptUnderTest; counts: readonly QueryCount[] };
