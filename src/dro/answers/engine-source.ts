import { availableParallelism } from 'node:os';
import type { WeightPrecision } from '../../engine/decoder/weights.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine, PromptSegment, SamplingParameters } from '../../engine/generation.ts';
import { greedySampling } from '../../engine/sampling/greedy.ts';
import { PreambleError } from '../../errors.ts';
import { loadChatTemplate } from '../../model/chat/chat-template.ts';
import { openCheckpoint } from '../../model/checkpoint.ts';
import { openCache } from '../../model/obtain/cache.ts';
import { loadTokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { AnswerSampling, AnswerSource } from './answer-source.ts';
import { encodeQuery, type QueryEncoding } from './encode-query.ts';
import { createJudge } from './judge.ts';

/** A product of 16 rows costs hardly more than one of 8, and the cache of so many short answers is small (docs/performance.md). */
const SLOTS = 16;
/** So many more wait in front of the engine, so that a slot that falls free is taken within the same step. */
const WAITING = 8;

export interface EngineSourceOptions {
  weights?: WeightPrecision;
  /** Answers that are written together. */
  slots?: number;
  /** Null for all cores. */
  threads?: number | null;
}

interface AnsweringModel extends Omit<QueryEncoding, 'contextLength'> {
  readonly engine: Engine;
  readonly name: string;
}

/** Starts an engine for the model in `directory`, which closes with the source. Throws `model_unsupported` for a model that does not chat. */
export async function openEngineSource(directory: string, options: EngineSourceOptions = {}): Promise<AnswerSource> {
  const { weights = '8-bit', slots = SLOTS, threads = null } = options;
  const tokenizer = await loadTokenizer(directory);
  const template = await loadChatTemplate(directory);
  if (template === null) throw withoutTemplate(directory);
  await openCheckpoint(directory);
  const engine = await createEngine(
    {
      directory,
      cacheDirectory: openCache().root,
      weights,
      slots,
      queue: WAITING,
      contextLength: null,
      threads: threads ?? availableParallelism(),
    },
    () => tokenizer.createIncrementalDecoder(),
  );
  return createEngineSource({ engine, tokenizer, template, name: `engine ${weights}` });
}

/** Answers from an engine that runs already; `close` ends it. */
export function createEngineSource({ engine, tokenizer, template, name }: AnsweringModel): AnswerSource {
  let requests = 0;
  return {
    concurrency: engine.capacity,
    name,
    async answer({ query, prompt, sampling, maxTokens, untilDecided = false }, signal) {
      const judge = createJudge(untilDecided);
      const encoding = { tokenizer, template, contextLength: engine.contextLength };
      requests++;
      const events = engine.generate(
        {
          id: `answer-${requests}`,
          prompt: sharedButLast(encodeQuery(encoding, query, prompt)),
          sampling: toEngineSampling(sampling),
          maxTokens,
          stop: [],
          ignoreEos: false,
          topLogprobs: null,
        },
        signal,
      );
      let tokens = 0;
      for await (const event of events) {
        if (event.type === 'end') return judge.end(event.finishReason, event.usage.completionTokens);
        judge.push(event.text);
        tokens += event.tokens.length;
        if (judge.enough) return judge.end('decided', tokens);
      }
      throw new PreambleError('internal', 'The engine ended an answer without saying so.');
    },
    close: () => engine.close(),
  };
}

export function withoutTemplate(directory: string): PreambleError {
  return new PreambleError('model_unsupported', `${directory} has no chat template: this model does not chat.`, {
    action: 'Give an instruction-tuned model, or put its chat_template.jinja there.',
  });
}

/**
 * Several answers to one query begin with the same input: the engine keeps what it has read of it, and only the last token, of which it
 * needs the logits, is read again for each.
 */
function sharedButLast(segments: readonly PromptSegment[]): PromptSegment[] {
  const last = segments.at(-1);
  if (last === undefined || 'softPrompt' in last) return [...segments];
  const { tokens } = last;
  const head = tokens.length > 1 ? [{ tokens: tokens.slice(0, -1), shared: true }] : [];
  return [...segments.slice(0, -1), ...head, { tokens: tokens.slice(-1) }];
}

function toEngineSampling(sampling: AnswerSampling): SamplingParameters {
  const chosen = 'seed' in sampling ? sampling : { temperature: 0, topP: 1, seed: 0 };
  return {
    ...greedySampling,
    temperature: chosen.temperature,
    topP: chosen.topP,
    topK: 'topK' in chosen ? (chosen.topK ?? 0) : 0,
    seed: chosen.seed,
  };
}
