import { randomInt } from 'node:crypto';
import type { GenerationRequest, PromptSegment, SamplingParameters } from '../../engine/generation.ts';
import { choiceSeed } from '../../engine/sampling/random.ts';
import { PreambleError } from '../../errors.ts';
import type { ChatCompletionRequest } from '../../openai/chat.ts';
import type { CompletionRequest } from '../../openai/completions.ts';

/** Exclusive, and crypto.randomInt's own limit. */
const SEED_RANGE = 2 ** 48 - 1;

export interface GenerationPlan {
  /** Unique among all that run: the engine tells requests apart by it. */
  id: string;
  /** One per prompt; each is answered `n` times. */
  prompts: readonly (readonly PromptSegment[])[];
  maxTokens: number;
  topLogprobs: number | null;
  /** For what the request leaves out. */
  defaults: SamplingDefaults;
}

export type SamplingDefaults = Pick<SamplingParameters, 'temperature' | 'topP'>;

/** One request a choice, prompt by prompt, as OpenAI numbers them. The same seed gives each choice its own, always the same, tokens. */
export function generationRequests(
  request: ChatCompletionRequest | CompletionRequest,
  plan: GenerationPlan,
): GenerationRequest[] {
  const n = request.n ?? 1;
  const seed = request.seed ?? randomInt(SEED_RANGE);
  const stop = typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []);
  return plan.prompts.flatMap((prompt, at) =>
    Array.from({ length: n }, (_, choice) => ({
      id: `${plan.id}-${at * n + choice}`,
      prompt,
      sampling: samplingOf(request, plan.defaults, choiceSeed(seed, choice)),
      maxTokens: plan.maxTokens,
      stop,
      ignoreEos: request.ignore_eos ?? false,
      topLogprobs: plan.topLogprobs,
    })),
  );
}

function samplingOf(
  request: ChatCompletionRequest | CompletionRequest,
  defaults: SamplingDefaults,
  seed: number,
): SamplingParameters {
  return {
    temperature: request.temperature ?? defaults.temperature,
    topP: request.top_p ?? defaults.topP,
    topK: Math.max(0, request.top_k ?? 0),
    minP: request.min_p ?? 0,
    seed,
    presencePenalty: request.presence_penalty ?? 0,
    frequencyPenalty: request.frequency_penalty ?? 0,
    repetitionPenalty: request.repetition_penalty ?? 1,
    logitBias: new Map(Object.entries(request.logit_bias ?? {}).map(([id, bias]) => [Number(id), bias])),
  };
}

/** Throws `invalid_request` for more tokens than the model can ever write, which is a mistake worth telling. */
export function checkMaxTokens(param: string, maxTokens: number | undefined, contextLength: number): void {
  if (maxTokens === undefined || maxTokens <= contextLength) return;
  throw new PreambleError(
    'invalid_request',
    `'${param}' is too large: ${maxTokens}. This model has a context of ${contextLength} tokens.`,
    { param, action: 'Ask for fewer, or leave it out.' },
  );
}
