import { encodeQuery, type QueryEncoding } from '../answers/encode-query.ts';
import { noPrompt } from '../answers/prompt-under-test.ts';
import type { ScoredText } from './perplexity/batches.ts';
import { measureSurprise, type SurpriseOptions } from './perplexity/surprise.ts';

/**
 * An answer's first tokens are scored: broken text shows itself there, and a forward pass over all of it would take as long as writing it did.
 */
export const MAX_SCORED_TOKENS = 128;

/** The model without any prompt, to which an answer may or may not be likely. */
export interface UnpromptedModel extends QueryEncoding {
  readonly directory: string;
}

export interface Exchange {
  readonly query: string;
  readonly answer: string;
}

/**
 * For each answer the mean negative log-likelihood of its tokens (the first 128) behind its query alone; null for an answer without text.
 * The text is encoded anew, so tokens may differ from those that were drawn.
 */
export async function surpriseOf(
  model: UnpromptedModel,
  exchanges: readonly Exchange[],
  options: SurpriseOptions,
): Promise<(number | null)[]> {
  const texts: (ScoredText | null)[] = exchanges.map((exchange) => textOf(model, exchange));
  const surprises = await measureSurprise(
    model.directory,
    texts.filter((text) => text !== null),
    options,
  );
  let next = 0;
  return texts.map((text) => (text === null ? null : (surprises[next++] ?? null)));
}

function textOf(model: UnpromptedModel, { query, answer }: Exchange): ScoredText | null {
  const head = encodeQuery(model, query, noPrompt).flatMap((segment) => ('tokens' in segment ? segment.tokens : []));
  const room = Math.min(MAX_SCORED_TOKENS, model.contextLength - head.length);
  const ids = model.tokenizer.encodeSection(answer, false, room).slice(0, room);
  return ids.length === 0 ? null : { ids: [...head, ...ids], from: head.length };
}
