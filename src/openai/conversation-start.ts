import type { ChatRequest } from './chat.ts';
import type { TextRequest } from './completions.ts';

/** What the turns of one conversation have in common. */
export interface ConversationStart {
  /** Holds texts of users: to be hashed, not to be kept. */
  readonly key: string;
  /** The model has said nothing yet. */
  readonly opens: boolean;
}

/** The application's own text and the first question, and the end user where the application names one. */
export function chatStart(request: Pick<ChatRequest, 'messages'>): ConversationStart {
  const { messages } = request;
  const firstQuestion = messages.findIndex(({ role }) => role === 'user');
  const opening = messages.slice(0, firstQuestion < 0 ? messages.length : firstQuestion + 1);
  const texts = opening.map(({ role, content }) => [role, content]);
  return { key: JSON.stringify([userOf(request), texts]), opens: messages.every(({ role }) => role !== 'assistant') };
}

export function completionStart(request: Pick<TextRequest, 'prompt'>): ConversationStart {
  return { key: JSON.stringify([userOf(request), request.prompt]), opens: true };
}

/** OpenAI's `user`: a field that is handed on unread otherwise. */
function userOf(request: object): string | null {
  return 'user' in request && typeof request.user === 'string' ? request.user : null;
}
