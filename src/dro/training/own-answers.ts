import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, GeneratedToken } from '../../engine/generation.ts';
import { greedySampling } from '../../engine/sampling/greedy.ts';
import { openJsonLog } from '../../formats/json-log.ts';
import { writingTo } from '../../model/obtain/file-errors.ts';
import { encodeQuery, type QueryEncoding } from '../answers/encode-query.ts';
import { createJudge, judgedBy } from '../answers/judge.ts';
import { mapConcurrently } from '../answers/map-concurrently.ts';
import { noPrompt } from '../answers/prompt-under-test.ts';
import { isKeptOwnAnswer, type OwnAnswer } from './own-answer.ts';

export interface OwnAnswerOptions {
  /** Tokens that are kept of an answer. */
  maxTokens: number;
  /** Next tokens in a distribution: 1 trains toward the answer's own tokens alone. */
  alternatives: number;
  endToken: number;
  /** Where they are kept as they come, in a file that is named by all that they depend on. */
  cacheDirectory: string;
  /** Everything about model and engine that decides what is answered. */
  answeredBy: string;
  onProgress?(done: number): void;
}

/** The decision may need a sentence, however few tokens are kept; most are made in the first words. */
const JUDGED_TOKENS = 32;
/** 128 bits tell any number of files apart. */
const NAME_DIGITS = 32;

/** Own answers in the order of `queries`. Throws what encoding and the engine throw, `file_unwritable`, and the signal's reason. */
export async function ownAnswers(
  engine: Engine,
  encoding: QueryEncoding,
  queries: readonly string[],
  options: OwnAnswerOptions,
  signal: AbortSignal,
): Promise<OwnAnswer[]> {
  const log = await openKept(encoding, queries, options);
  const answers = new Map(log.entries.map(({ query, answer }) => [query, answer]));
  const ask = async (index: number, until: AbortSignal): Promise<OwnAnswer> => {
    const judge = createJudge(true);
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
        if (judge.enough && tokens.length >= options.maxTokens) break;
      }
    }
    const { decision } = judge.end(ended ? 'stop' : 'decided', tokens.length);
    return toOwnAnswer(tokens, ended, decision.decision === 'refused' || decision.decision === 'partial', options);
  };
  try {
    const open = [...queries.keys()].filter((query) => !answers.has(query));
    for await (const { item, result } of mapConcurrently(open, ask, { concurrency: engine.capacity, signal })) {
      await writingTo(options.cacheDirectory, () => log.append({ query: item, answer: result }));
      answers.set(item, result);
      options.onProgress?.(answers.size);
    }
  } finally {
    await log.close();
  }
  return queries.flatMap((_, index) => answers.get(index) ?? []);
}

/** What was answered before to the same queries, token for token, by the same model with the same settings. */
function openKept(encoding: QueryEncoding, queries: readonly string[], options: OwnAnswerOptions) {
  const { maxTokens, alternatives, cacheDirectory, answeredBy } = options;
  const asked = queries.map((query) => encodeQuery(encoding, query, noPrompt));
  const about = JSON.stringify({ answeredBy, maxTokens, alternatives, JUDGED_TOKENS, judgedBy, asked });
  const name = createHash('sha256').update(about).digest('hex').slice(0, NAME_DIGITS);
  return writingTo(cacheDirectory, async () => {
    await mkdir(cacheDirectory, { recursive: true });
    return await openJsonLog(join(cacheDirectory, `${name}.jsonl`), isKeptOwnAnswer);
  });
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
function normalised(token: number, top: GeneratedToken['top']): OwnAnswer['distributions'][number] {
  if (top.length === 0) return { ids: [token], probabilities: [1] };
  const probabilities = top.map(({ logprob }) => Math.exp(logprob));
  const sum = probabilities.reduce((total, value) => total + value, 0);
  return { ids: top.map(({ tokenId }) => tokenId), probabilities: probabilities.map((value) => value / sum) };
}
