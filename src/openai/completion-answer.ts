import type { AnswerIdentity, CompletionUsage, FinishReason } from './answer.ts';
import type { Completion, CompletionChoice, CompletionLogprobs } from './completions.ts';

/** Makes the parts of one streamed completion. */
export interface CompletionParts {
  text(index: number, text: string, logprobs?: CompletionLogprobs | null): Completion;
  /** The last part of a choice. */
  finish(index: number, reason: FinishReason): Completion;
  /** The last part of the answer, without choices; only where `include_usage` asked for it. */
  usage(usage: CompletionUsage): Completion;
}

/** With `includeUsage` every part but the last carries `usage: null`, as OpenAI's do. */
export function completionParts(identity: AnswerIdentity, includeUsage: boolean): CompletionParts {
  const part = (choice: CompletionChoice): Completion => {
    const whole = completion(identity, [choice]);
    return includeUsage ? { ...whole, usage: null } : whole;
  };
  return {
    text: (index, text, logprobs = null) => part({ index, text, logprobs, finish_reason: null }),
    finish: (index, reason) => part({ index, text: '', logprobs: null, finish_reason: reason }),
    usage: (usage) => completion(identity, [], usage),
  };
}

export function completion(identity: AnswerIdentity, choices: CompletionChoice[], usage?: CompletionUsage): Completion {
  const { id, created, model } = identity;
  const head = { id, object: 'text_completion', created, model, choices } as const;
  return usage === undefined ? head : { ...head, usage };
}
