import type { SoftPrompt } from '../prompts/soft-prompt.ts';

/**
 * A stretch of a model's input: token ids, or a soft prompt's rows. `shared`: other requests begin with the same, so that its keys and
 * values are worth keeping; a soft prompt always is.
 */
export type PromptSegment =
  | { readonly tokens: readonly number[]; readonly shared?: boolean }
  | { readonly softPrompt: SoftPrompt };

/** OpenAI's sampling fields and the three that vLLM adds (`top_k`, `min_p`, `repetition_penalty`), after defaults. */
export interface SamplingParameters {
  /** 0 is greedy. */
  temperature: number;
  topP: number;
  /** 0 keeps every token. */
  topK: number;
  minP: number;
  /** The same seed and input give the same tokens, whatever else is in the batch. */
  seed: number;
  presencePenalty: number;
  frequencyPenalty: number;
  repetitionPenalty: number;
  /** token id -> added to its logit, -100..100 */
  logitBias: ReadonlyMap<number, number>;
}

export interface GenerationRequest {
  id: string;
  prompt: readonly PromptSegment[];
  sampling: SamplingParameters;
  /** Upper bound on new tokens; the context length bounds it too. */
  maxTokens: number;
  /** Texts that end the answer and are not part of it. */
  stop: readonly string[];
  ignoreEos: boolean;
  /** Number of alternatives reported per token; null reports no logprobs at all. */
  topLogprobs: number | null;
}

export interface TokenLogprob {
  tokenId: number;
  /** Natural logarithm of the model's probability before temperature, penalties and bias, as OpenAI reports it; NaN where `topLogprobs` is null. */
  logprob: number;
}

export interface GeneratedToken extends TokenLogprob {
  top: readonly TokenLogprob[];
}

export type FinishReason = 'stop' | 'length';

export interface Usage {
  /** Virtual tokens included, as vLLM counts. */
  promptTokens: number;
  completionTokens: number;
  /** Of the prompt's tokens, how many had their keys and values in the cache. */
  cachedTokens: number;
}

export type GenerationEvent =
  /** `text` is what became readable: whole characters only, never part of a stop string; it may be empty. */
  | { type: 'text'; text: string; tokens: readonly GeneratedToken[] }
  | { type: 'end'; finishReason: FinishReason; usage: Usage };

/** What the embedded backend and the trainer ask of an engine. */
export interface Engine {
  /** Longest prompt plus answer, in tokens. */
  readonly contextLength: number;
  /** Requests that it holds at a time, running and waiting. */
  readonly capacity: number;
  /**
   * Ends with one `end` event. Aborting frees the request's slot within one token and ends the iteration with an AbortError.
   * Throws PreambleError `queue_full` or `context_length_exceeded` before the first event.
   */
  generate(request: GenerationRequest, signal: AbortSignal): AsyncIterable<GenerationEvent>;
  stats(): EngineStats;
  close(): Promise<void>;
}

export interface EngineStats {
  running: number;
  waiting: number;
  slots: number;
}
