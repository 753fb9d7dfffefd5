import type { Engine, GeneratedToken } from '../../engine/generation.ts';
import { greedySampling } from '../../engine/sampling/greedy.ts';
import { encodeQuery, type QueryEncoding } from '../answers/encode-query.ts';
import { createJudge } from '../answers/judge.ts';
import { mapConcurrently } from '../answers/map-concurrently.ts';
import { noPrompt } from '../answers/prompt-under-test.ts';
import type { TargetDistribution } from './training-row.ts';

/** What the model answers by itself, under no prompt, greedily: what a prompt shall leave as it is. */
export interface OwnAnswer {
  /** With the end token where the answer ended by itself. */
  readonly tokens: readonly number[];
  /** One a token: the likeliest next tokens with their probabilities, which sum to 1. */
  readonly distributions: readonly TargetDistribution[];
  /** Some models decline harmless queries by themselves; such an answer is nothing to keep. */
  readonly refused: boolean;
}

export interface OwnAnswerOptions {
  /** Tokens that are kept of an answer. */
  maxTokens: number;
  /** Next tokens in a distribution: 1 trains toward the answer's own tokens alone. */
  alternatives: number;
  endToken: number;
  onProgress?(done: number): void;
}

/** The decision needs a sentence, however few tokens are kept. */
const JUDGED_TOKENS = 32;

/** Own answers in the order of `queries`. Throws what encoding and the engine throw, and the signal's reason. */
export async function ownAnswers(
  engine: Engine,
  encoding: QueryEncoding,
  queries: readonly string[],
  options: OwnAnswerOptions,
  signal: AbortSignal,
): Promise<OwnAnswer[]> {
  const answers = new Map<number, OwnAnswer>();
  const ask = async (index: number, until: AbortSignal): Promise<OwnAnswer> => {
    const judge = createJudge(false);
    const tokens: GeneratedToken[] = [];
    const events = engine.generate(
      {
        id: `own-${index}`,
        prompt: encodeQuery(encoding, queries[index] ?? '', noPrompt),
        sampling: greedySampling,
        maxTokens: Math.max(options.maxTokens, JUDGED_TOKENS),
        stop: [],
        ignoreEos: false,
        topLogprobs: options.alternatives,
      },
      until,
    );
    let ended = false;
    for await (const event of events) {
      if (event.type === 'end') ended = event.finishReason === 'stop';
      else {
        judge.push(event.text);
        tokens.push(...event.tokens);
      }
    }
    const { decision } = judge.end('stop', tokens.length);
    return toOwnAnswer(tokens, ended, decision.decision === 'refused' || decision.decision === 'partial', options);
  };
  const work = mapConcurrently(queries.keys(), ask, { concurrency: engine.capacity, signal });
  for await (const { item, result } of work) {
    answers.set(item, result);
    options.onProgress?.(answers.size);
  }
  return queries.flatMap((_, index) => answers.get(index) ?? []);
}

function toOwnAnswer(
  generated: readonly GeneratedToken[],
  ended: boolean,
  refused: boolean,
  { maxTokens, endToken }: OwnAnswerOptions,
): OwnAnswer {
  const said = generated.map(({ tokenId, top }) => ({ id: tokenId, distribution: normalised(tokenId, top) }));
  // the engine tells of the end, not of the token that ended it
  const whole = ended ? [...said, { id: endToken, distribution: { ids: [endToken], probabilities: [1] } }] : said;
  const kept = whole.slice(0, maxTokens);
  return {
    tokens: kept.map(({ id }) => id),
    distributions: kept.map(({ distribution }) => distribution),
    refused,
  };
}

/** The likeliest tokens, their probabilities made to sum to 1. */
function normalised(token: number, top: GeneratedToken['top']): TargetDistribution {
  if (top.length === 0) return { ids: [token], probabilities: [1] };
  const probabilities = top.map(({ logprob }) => Math.exp(logprob));
  const sum = probabilities.reduce((total, value) => total + value, 0);
  return { ids: top.map(({ tokenId }) => tokenId), probabilities: probabilities.map((value) => value / sum) };
}
