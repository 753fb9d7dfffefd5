import type { GenerationRequest, PromptSegment } from '../../engine/generation.ts';
import { newAnswerIdentity, toUsage } from '../../openai/answer.ts';
import { completionParts } from '../../openai/completion-answer.ts';
import type { Completion, CompletionRequest } from '../../openai/completions.ts';
import { codePoints, toCompletionLogprobs } from '../../openai/logprobs.ts';
import type { Call } from '../backend.ts';
import { generateChoices } from './choices.ts';
import type { EmbeddedModel } from './model.ts';
import { reportTokens } from './reported-tokens.ts';
import { samplingOf, seedOf, stopStringsOf } from './sampling.ts';

/** OpenAI's default for completions. */
const DEFAULT_MAX_TOKENS = 16;

/** The parts of a completion; prompts count up before choices, as with OpenAI: index = prompt · n + choice. */
export async function* answerCompletion(
  model: EmbeddedModel,
  call: Call<CompletionRequest>,
  includeUsage: boolean,
): AsyncGenerator<Completion> {
  const { request } = call;
  const n = request.n ?? 1;
  const parts = completionParts(newAnswerIdentity('cmpl', call.plan.model), includeUsage && request.stream === true);
  const prompts = promptsOf(request);
  const requests = prompts.flatMap((prompt, index) => completionGenerations(model, call, prompt, index * n));
  const offsets = new Map<number, number>();
  const usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
  for await (const { choice, event } of generateChoices(model.engine, requests, call.signal)) {
    if (!offsets.has(choice) && request.echo === true)
      yield parts.text(choice, echoOf(model, prompts[Math.floor(choice / n)]));
    const offset = offsets.get(choice) ?? 0;
    if (event.type === 'end') {
      // A prompt is counted once, however many choices it was read for.
      if (choice % n === 0) {
        usage.promptTokens += event.usage.promptTokens;
        usage.cachedTokens += event.usage.cachedTokens;
      }
      usage.completionTokens += event.usage.completionTokens;
      yield parts.finish(choice, event.finishReason);
      continue;
    }
    const wanted = request.logprobs !== undefined && event.tokens.length > 0;
    const logprobs = wanted ? toCompletionLogprobs(reportTokens(model.tokenizer, event.tokens), offset) : null;
    offsets.set(choice, offset + codePoints(event.text));
    if (event.text !== '' || logprobs !== null) yield parts.text(choice, event.text, logprobs);
  }
  if (includeUsage) yield parts.usage(toUsage(usage));
}

type RawPrompt = string | readonly number[];

function promptsOf({ prompt }: CompletionRequest): RawPrompt[] {
  if (typeof prompt === 'string') return [prompt];
  if (prompt.every((entry) => typeof entry === 'number')) return [prompt];
  return prompt.filter((entry) => typeof entry !== 'number');
}

function completionGenerations(
  model: EmbeddedModel,
  { id, request, plan }: Call<CompletionRequest>,
  prompt: RawPrompt,
  firstChoice: number,
): GenerationRequest[] {
  const seed = seedOf(request);
  const segments = rawSegments(model, prompt, plan.prompt === null ? null : { softPrompt: plan.prompt.softPrompt });
  return Array.from({ length: request.n ?? 1 }, (_, choice) => ({
    id: `${id}/${firstChoice + choice}`,
    prompt: segments,
    sampling: samplingOf(request, seed, firstChoice + choice),
    maxTokens: request.max_tokens ?? DEFAULT_MAX_TOKENS,
    stop: stopStringsOf(request),
    ignoreEos: request.ignore_eos ?? false,
    topLogprobs: request.logprobs ?? null,
  }));
}

/**
 * A raw prompt is the application's own business, control tokens and all, as with OpenAI and vLLM. The soft prompt stands in front of it,
 * behind the token that begins every text where the tokenizer has one.
 */
function rawSegments(model: EmbeddedModel, prompt: RawPrompt, softPrompt: PromptSegment | null): PromptSegment[] {
  if (typeof prompt !== 'string') return softPrompt === null ? [{ tokens: prompt }] : [softPrompt, { tokens: prompt }];
  const plain = model.tokenizer.encode(prompt);
  const whole = model.tokenizer.encode(prompt, { addSpecialTokens: true });
  const added = whole.slice(0, whole.length - plain.length);
  return [{ tokens: added }, ...(softPrompt === null ? [] : [softPrompt]), { tokens: plain }];
}

function echoOf(model: EmbeddedModel, prompt: RawPrompt | undefined): string {
  return typeof prompt === 'string' ? prompt : model.tokenizer.decode(prompt ?? []);
}
