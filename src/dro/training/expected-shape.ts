import type { MemoryShape } from './memory.ts';
import { evenMicroBatch } from './micro-batch.ts';
import { prepareRows, type RowOptions, refusalTokens, SHORTEST_ANSWER } from './prepare-rows.ts';
import type { TrainingSettings } from './settings.ts';

/** What the graphs will be built for at most, as far as it is known before the model's own answers are. Throws what encoding throws. */
export function expectedShape(
  options: Omit<RowOptions, 'ownAnswers' | 'reference'>,
  { weights, batch, microBatch, buckets, answerTokens, alternatives }: TrainingSettings,
): MemoryShape {
  const { layout, rows } = prepareRows({ ...options, ownAnswers: null, reference: null });
  const judgesAnswers = weights.refuse > 0 || weights.keep > 0;
  const longestQuery = Math.max(1, ...rows.map(({ query }) => query.length));
  const longestAnswer = Math.max(answerTokens, refusalTokens(options.model, options.endToken).length);
  const together = evenMicroBatch(batch, microBatch);
  return {
    rows: together,
    // the answer's last token is not fed
    tokens: longestQuery + (judgesAnswers ? SHORTEST_ANSWER - 1 : 0),
    prefixTokens: layout.before.length + options.start.tokens + layout.after.length,
    positions: together * (judgesAnswers ? longestAnswer : 1),
    alternatives,
    sessions: buckets,
    judgesAnswers,
  };
}
