import type { GeneratedToken, GenerationEvent, TokenLogprob, Usage } from '../../engine/generation.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { toUsage } from '../../openai/answer.ts';
import type { ChatCompletionChunk } from '../../openai/chat.ts';
import type { ChatChunks } from '../../openai/chat-answer.ts';
import type { CompletionParts } from '../../openai/completion-answer.ts';
import type { Completion } from '../../openai/completions.ts';
import {
  codePoints,
  type ReportedToken,
  type TokenAlternative,
  toChatLogprobs,
  toCompletionLogprobs,
} from '../../openai/logprobs.ts';
import type { Merged } from './merge.ts';

type Events = AsyncIterable<Merged<GenerationEvent>>;

export interface PartsOptions {
  readonly tokenizer: Tokenizer;
  readonly logprobs: boolean;
  /** Choices of one prompt, which counts once. */
  readonly choicesPerPrompt: number;
}

/** The engine's events as chat chunks; the last has the token counts. */
export async function* chatParts(
  events: Events,
  chunks: ChatChunks,
  options: PartsOptions,
): AsyncGenerator<ChatCompletionChunk> {
  const spoken = new Set<number>();
  const ended = new Map<number, Usage>();
  for await (const { index, value: event } of events) {
    if (!spoken.has(index)) yield chunks.role(index);
    spoken.add(index);
    if (event.type === 'end') {
      ended.set(index, event.usage);
      yield chunks.finish(index, event.finishReason);
    } else {
      const tokens = options.logprobs ? event.tokens.map((token) => reportedToken(options.tokenizer, token)) : [];
      if (event.text !== '' || tokens.length > 0) {
        yield chunks.content(index, event.text, options.logprobs ? toChatLogprobs(tokens) : null);
      }
    }
  }
  yield chunks.usage(toUsage(countTokens(ended, options.choicesPerPrompt)));
}

/** The engine's events as parts of a completion; the last has the token counts. */
export async function* completionTextParts(
  events: Events,
  parts: CompletionParts,
  options: PartsOptions,
): AsyncGenerator<Completion> {
  const offsets = new Map<number, number>();
  const ended = new Map<number, Usage>();
  for await (const { index, value: event } of events) {
    if (event.type === 'end') {
      ended.set(index, event.usage);
      yield parts.finish(index, event.finishReason);
      continue;
    }
    const tokens = options.logprobs ? event.tokens.map((token) => reportedToken(options.tokenizer, token)) : [];
    if (event.text === '' && tokens.length === 0) continue;
    const offset = offsets.get(index) ?? 0;
    offsets.set(
      index,
      tokens.reduce((at, token) => at + codePoints(token.text), offset),
    );
    yield parts.text(index, event.text, options.logprobs ? toCompletionLogprobs(tokens, offset) : null);
  }
  yield parts.usage(toUsage(countTokens(ended, options.choicesPerPrompt)));
}

/** A prompt that is read for several choices counts once, and so does what of it was in the cache. */
function countTokens(ended: ReadonlyMap<number, Usage>, choicesPerPrompt: number): Usage {
  const counts = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
  for (const [index, usage] of ended) {
    counts.completionTokens += usage.completionTokens;
    if (index % choicesPerPrompt !== 0) continue;
    counts.promptTokens += usage.promptTokens;
    counts.cachedTokens += usage.cachedTokens;
  }
  return counts;
}

function reportedToken(tokenizer: Tokenizer, token: GeneratedToken): ReportedToken {
  return { ...alternative(tokenizer, token), top: token.top.map((other) => alternative(tokenizer, other)) };
}

function alternative(tokenizer: Tokenizer, { tokenId, logprob }: TokenLogprob): TokenAlternative {
  const bytes = tokenizer.tokenBytes(tokenId);
  return { text: tokenizer.tokenText(tokenId), bytes: bytes.length === 0 ? null : [...bytes], logprob };
}
