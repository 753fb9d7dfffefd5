import type { GeneratedToken, GenerationRequest, PromptSegment } from '../../engine/generation.ts';
import { newAnswerIdentity, toUsage } from '../../openai/answer.ts';
import type { ChatCompletionChunk, ChatCompletionRequest } from '../../openai/chat.ts';
import { chatChunks } from '../../openai/chat-answer.ts';
import { toChatLogprobs } from '../../openai/logprobs.ts';
import type { Call } from '../backend.ts';
import { generateChoices } from './choices.ts';
import type { EmbeddedModel } from './model.ts';
import { reportTokens } from './reported-tokens.ts';
import { samplingOf, seedOf, stopStringsOf } from './sampling.ts';

/** The parts of a chat answer in the order in which its choices say them; usage last, where it is wanted. */
export async function* answerChat(
  model: EmbeddedModel,
  call: Call<ChatCompletionRequest>,
  prompt: readonly PromptSegment[],
  includeUsage: boolean,
): AsyncGenerator<ChatCompletionChunk> {
  const { request } = call;
  const chunks = chatChunks(newAnswerIdentity('chatcmpl', call.plan.model), includeUsage && request.stream === true);
  const requests = chatGenerations(model, call, prompt);
  const begun = new Set<number>();
  const usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
  for await (const { choice, event } of generateChoices(model.engine, requests, call.signal)) {
    if (!begun.has(choice)) yield chunks.role(choice);
    begun.add(choice);
    if (event.type === 'end') {
      usage.promptTokens = event.usage.promptTokens;
      usage.cachedTokens = event.usage.cachedTokens;
      usage.completionTokens += event.usage.completionTokens;
      yield chunks.finish(choice, event.finishReason);
    } else {
      const logprobs = request.logprobs === true ? logprobsOf(model, event.tokens) : null;
      if (event.text !== '' || logprobs !== null) yield chunks.content(choice, event.text, logprobs);
    }
  }
  if (includeUsage) yield chunks.usage(toUsage(usage));
}

function chatGenerations(
  model: EmbeddedModel,
  { id, request }: Call<ChatCompletionRequest>,
  prompt: readonly PromptSegment[],
): GenerationRequest[] {
  const seed = seedOf(request);
  return Array.from({ length: request.n ?? 1 }, (_, choice) => ({
    id: `${id}/${choice}`,
    prompt,
    sampling: samplingOf(request, seed, choice),
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? model.engine.contextLength,
    stop: stopStringsOf(request),
    ignoreEos: request.ignore_eos ?? false,
    topLogprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : null,
  }));
}

function logprobsOf(model: EmbeddedModel, tokens: readonly GeneratedToken[]) {
  return tokens.length === 0 ? null : toChatLogprobs(reportTokens(model.tokenizer, tokens));
}
