import { randomInt } from 'node:crypto';
import type { SamplingParameters } from '../../engine/generation.ts';
import type { ChatCompletionRequest } from '../../openai/chat.ts';
import type { CompletionRequest } from '../../openai/completions.ts';

type GenerationFields = Pick<
  ChatCompletionRequest & CompletionRequest,
  | 'temperature'
  | 'top_p'
  | 'top_k'
  | 'min_p'
  | 'seed'
  | 'presence_penalty'
  | 'frequency_penalty'
  | 'repetition_penalty'
  | 'logit_bias'
>;

const SEED_LIMIT = 2 ** 47;

/** OpenAI's defaults for what the client left out. Each choice draws from a seed of its own, so that `n` answers differ. */
export function samplingOf(request: GenerationFields, seed: number, choice: number): SamplingParameters {
  return {
    temperature: request.temperature ?? 1,
    topP: request.top_p ?? 1,
    topK: Math.max(0, request.top_k ?? 0),
    minP: request.min_p ?? 0,
    seed: seed + choice,
    presencePenalty: request.presence_penalty ?? 0,
    frequencyPenalty: request.frequency_penalty ?? 0,
    repetitionPenalty: request.repetition_penalty ?? 1,
    logitBias: new Map(Object.entries(request.logit_bias ?? {}).map(([id, bias]) => [Number(id), bias])),
  };
}

/** The client's seed, or a new one. */
export function seedOf(request: GenerationFields): number {
  return request.seed ?? randomInt(SEED_LIMIT);
}

export function stopStringsOf({ stop }: { stop?: string | string[] }): readonly string[] {
  return typeof stop === 'string' ? [stop] : (stop ?? []);
}
