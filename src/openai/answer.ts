import { randomUUID } from 'node:crypto';

/** What chat completions and completions report alike. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'function_call';

export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens?: number | null } | null;
}

/** What every part of one answer repeats. */
export interface AnswerIdentity {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

export function newAnswerIdentity(prefix: 'chatcmpl' | 'cmpl', model: string): AnswerIdentity {
  return { id: `${prefix}-${randomUUID().replaceAll('-', '')}`, created: Math.floor(Date.now() / 1000), model };
}

/** Token counts in OpenAI's shape. A request's prompt counts once, however many choices it was read for. */
export function toUsage(counts: {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
}): CompletionUsage {
  return {
    prompt_tokens: counts.promptTokens,
    completion_tokens: counts.completionTokens,
    total_tokens: counts.promptTokens + counts.completionTokens,
    prompt_tokens_details: { cached_tokens: counts.cachedTokens },
  };
}
