import type { CompletionRequest } from './completions.ts';

/** A completion's prompts, one or many, each as text or as token ids. */
export function listPrompts(prompt: CompletionRequest['prompt']): (string | readonly number[])[] {
  if (typeof prompt === 'string') return [prompt];
  const ids: number[] = [];
  const prompts: (string | readonly number[])[] = [];
  for (const part of prompt) {
    if (typeof part === 'number') ids.push(part);
    else prompts.push(part);
  }
  return ids.length > 0 ? [ids] : prompts;
}
