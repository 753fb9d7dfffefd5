import type { ChatMessage } from '../chat.ts';
import { fieldError, isObject } from '../validate.ts';
import type { InputItem } from './input-items.ts';

/**
 * A conversation and what follows on it, as chat messages. The calls of one turn stand in one assistant message, with its text where it has
 * one; a result without its call is refused, as by OpenAI. References must have been resolved. Throws `invalid_request`.
 */
export function toMessages(before: readonly ChatMessage[], items: readonly InputItem[]): ChatMessage[] {
  const messages = [...before];
  const called = new Set(before.flatMap(callIds));
  /** Of the last message, where that is an assistant's made here; pushed to, so that many calls take linear time. */
  let calls: object[] | null = null;

  for (const item of items) {
    if (item.kind === 'call') {
      called.add(item.callId);
      calls ??= openCalls(messages);
      const { name, arguments: text } = item;
      calls.push({ id: item.callId, type: 'function', function: { name, arguments: text } });
    } else if (item.kind === 'output') {
      if (!called.has(item.callId)) {
        throw fieldError(`${item.path}.call_id`, 'no function_call before it has this call_id');
      }
      calls = null;
      messages.push({ role: 'tool', tool_call_id: item.callId, content: withParts(item.content) });
    } else if (item.kind === 'message') {
      const last = messages.at(-1);
      if (item.role === 'assistant' && calls !== null && last?.content === null) {
        messages[messages.length - 1] = { ...last, content: item.content };
        continue;
      }
      calls = null;
      messages.push({ role: item.role, content: item.content });
    } else throw fieldError(item.path, 'there is no item with this id');
  }
  return messages;
}

/** The calls of the last message, if that is an assistant's, copied from what others hold; else of a new one. */
function openCalls(messages: ChatMessage[]): object[] {
  const last = messages.at(-1);
  const said: ChatMessage = last?.role === 'assistant' ? last : { role: 'assistant', content: null };
  if (said === last) messages.pop();
  const calls = [...(said.tool_calls ?? [])];
  messages.push({ ...said, tool_calls: calls });
  return calls;
}

function callIds({ tool_calls: calls }: ChatMessage): string[] {
  return (calls ?? []).flatMap((call) => (isObject(call) && typeof call['id'] === 'string' ? [call['id']] : []));
}

/** A tool that returned nothing at all returned an empty text: chat messages need one part at least. */
function withParts<Content extends string | readonly unknown[]>(content: Content): Content | string {
  return content.length === 0 ? '' : content;
}
