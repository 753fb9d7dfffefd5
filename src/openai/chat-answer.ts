import type { AnswerIdentity, CompletionUsage, FinishReason } from './answer.ts';
import type {
  ChatChunkChoice,
  ChatCompletion,
  ChatCompletionChoice,
  ChatCompletionChunk,
  ChatLogprobs,
} from './chat.ts';

/** Makes the parts of one streamed chat answer. */
export interface ChatChunks {
  /** The first part of a choice: who speaks. */
  role(index: number): ChatCompletionChunk;
  content(index: number, text: string, logprobs?: ChatLogprobs | null): ChatCompletionChunk;
  /** The last part of a choice. */
  finish(index: number, reason: FinishReason): ChatCompletionChunk;
  /** The last part of the answer, without choices; only where `include_usage` asked for it. */
  usage(usage: CompletionUsage): ChatCompletionChunk;
}

/** With `includeUsage` every part but the last carries `usage: null`, as OpenAI's do. */
export function chatChunks(identity: AnswerIdentity, includeUsage: boolean): ChatChunks {
  const head = { ...identityFields(identity), object: 'chat.completion.chunk' } as const;
  const part = (choice: ChatChunkChoice): ChatCompletionChunk =>
    includeUsage ? { ...head, choices: [choice], usage: null } : { ...head, choices: [choice] };
  return {
    role: (index) => part({ index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }),
    content: (index, text, logprobs = null) => part({ index, delta: { content: text }, logprobs, finish_reason: null }),
    finish: (index, reason) => part({ index, delta: {}, logprobs: null, finish_reason: reason }),
    usage: (usage) => ({ ...head, choices: [], usage }),
  };
}

export function chatCompletion(
  identity: AnswerIdentity,
  choices: ChatCompletionChoice[],
  usage: CompletionUsage,
): ChatCompletion {
  return { ...identityFields(identity), object: 'chat.completion', choices, usage };
}

function identityFields({ id, created, model }: AnswerIdentity): AnswerIdentity {
  return { id, created, model };
}
