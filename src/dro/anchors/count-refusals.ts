import { createHash } from 'node:crypto';
import type { Answer, AnswerRequest, AnswerSampling, AnswerSource } from '../answers/answer-source.ts';
import { mapConcurrently } from '../answers/map-concurrently.ts';
import type { PromptUnderTest } from '../answers/prompt-under-test.ts';

export interface SamplingPlan {
  /** Answers a query; of the likeliest tokens alone there is one. */
  readonly samples: number;
  /** 0 for the likeliest tokens. */
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
  readonly maxTokens: number;
  /** See `AnswerRequest`: an answer is heard until it is decided, not to its end. */
  readonly untilDecided: boolean;
}

/** What became of the answers to one query. */
export interface QueryCount {
  /** Its place among the queries. */
  readonly query: number;
  readonly answers: number;
  readonly refused: number;
  readonly partial: number;
  readonly empty: number;
  readonly tokens: number;
}

/**
 * Samples answers to every query of `open` (places in `texts`) and yields the counts of each query as its last answer ends. Seeds depend on
 * the query's own text, so that neither order nor company changes an answer.
 */
export async function* countRefusals(
  source: AnswerSource,
  {
    texts,
    open,
    prompt,
    plan,
  }: { texts: readonly string[]; open: readonly number[]; prompt: PromptUnderTest; plan: SamplingPlan },
  { signal, onAnswer }: { signal: AbortSignal; onAnswer(answer: Answer): void },
): AsyncGenerator<QueryCount> {
  const { maxTokens, untilDecided, samples } = plan;
  const counts = new Map<number, QueryCount>();
  const items = open.flatMap((query) => Array.from({ length: samples }, (_, sample) => ({ query, sample })));
  const work = ({ query, sample }: { query: number; sample: number }, until: AbortSignal) => {
    const text = texts[query] ?? '';
    const request: AnswerRequest = {
      query: text,
      prompt,
      sampling: samplingOf(plan, text, sample),
      maxTokens,
      untilDecided,
    };
    return source.answer(request, until);
  };
  for await (const { item, result } of mapConcurrently(items, work, { concurrency: source.concurrency, signal })) {
    onAnswer(result);
    const count = add(counts.get(item.query) ?? nothing(item.query), result);
    counts.set(item.query, count);
    if (count.answers === samples) yield count;
  }
}

const nothing = (query: number): QueryCount => ({ query, answers: 0, refused: 0, partial: 0, empty: 0, tokens: 0 });

function add(count: QueryCount, { decision: { decision }, completionTokens }: Answer): QueryCount {
  return {
    query: count.query,
    answers: count.answers + 1,
    refused: count.refused + Number(decision === 'refused'),
    partial: count.partial + Number(decision === 'partial'),
    empty: count.empty + Number(decision === 'empty'),
    tokens: count.tokens + completionTokens,
  };
}

function samplingOf({ temperature, topP, seed }: SamplingPlan, text: string, sample: number): AnswerSampling {
  if (temperature === 0) return { temperature: 0 };
  const digest = createHash('sha256').update(`${seed} ${sample} ${text}`).digest();
  // 31 bits: some servers keep a seed in a signed 32-bit integer.
  return { temperature, topP, seed: digest.readUInt32LE(0) >>> 1 };
}
