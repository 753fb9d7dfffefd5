import type { ChatMessage } from '../../openai/chat.ts';

/** Characters of each text that tell conversations apart. */
const LENGTH = 512;

/**
 * What the turns of one conversation have in common: the application's own text and the first question. vLLM keeps keys and values by
 * prefix, so the server that read them before need not read them again.
 */
export function chatAffinity(messages: readonly ChatMessage[]): string {
  const firstQuestion = messages.findIndex(({ role }) => role === 'user');
  return messages
    .slice(0, firstQuestion < 0 ? messages.length : firstQuestion + 1)
    .map(({ content }) => startOf(content))
    .join('\n');
}

export function completionAffinity(prompt: unknown): string | null {
  return typeof prompt === 'string' ? prompt.slice(0, LENGTH) : null;
}

function startOf(content: ChatMessage['content']): string {
  if (typeof content === 'string') return content.slice(0, LENGTH);
  const text = content?.find((part) => part.text !== undefined)?.text ?? '';
  return text.slice(0, LENGTH);
}
