import { PreambleError } from '../../errors.ts';
import type { PromptPosition } from '../../prompts/soft-prompt.ts';
import type { PlainMessage } from './template-messages.ts';
import type { TemplateTraits } from './template-traits.ts';

/**
 * Puts the sentinel where the soft prompt will stand: as the first part of the leading system message, or of the first
 * user message. Throws `invalid_request` where neither can be.
 */
export function placeSentinel(
  messages: readonly PlainMessage[],
  position: PromptPosition,
  traits: TemplateTraits,
  sentinel: string,
): PlainMessage[] {
  const [first, ...others] = messages;
  if (position === 'system' && traits.systemRole) {
    return first?.role === 'system'
      ? [{ ...first, texts: [sentinel, ...first.texts] }, ...others]
      : [{ role: 'system', texts: [sentinel] }, ...messages];
  }
  const at = messages.findIndex((message) => message.role === 'user');
  if (at < 0)
    throw new PreambleError('invalid_request', 'The conversation has no user message.', { param: 'messages' });
  return messages.map((message, index) =>
    index === at ? { ...message, texts: [sentinel, ...message.texts] } : message,
  );
}
