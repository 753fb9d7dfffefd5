import { type ChatCompletionRequest, type ChatMessage, parseChatCompletionRequest } from '../chat.ts';
import { fieldError } from '../validate.ts';
import { type ResponsesRequest, SAME_IN_CHAT } from './request.ts';
import { toResponseFormat } from './text-format.ts';
import { toChatTools } from './tools.ts';

export interface ChatTranslation {
  readonly request: ChatCompletionRequest;
  /** The same as JSON, for backends that hand it on. */
  readonly body: Uint8Array;
}

/**
 * A Responses request as a chat request. `conversation`: every message but `instructions`, which stand first and, as with OpenAI, are
 * those of this request alone.
 */
export function toChatRequest(asked: ResponsesRequest, conversation: readonly ChatMessage[]): ChatTranslation {
  const { fields, tools, toolChoice, format, logprobs } = asked;
  const messages: ChatMessage[] = fields.instructions
    ? [{ role: 'system', content: fields.instructions }, ...conversation]
    : [...conversation];
  if (messages.length === 0) throw fieldError('input', 'needs at least one item');
  const same = Object.entries(fields).filter(([name]) => SAME_IN_CHAT.includes(name));
  const chat = {
    ...Object.fromEntries(same),
    messages,
    ...(fields.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...given('max_completion_tokens', fields.max_output_tokens),
    ...(logprobs ? { logprobs: true, ...given('top_logprobs', fields.top_logprobs) } : {}),
    ...given('response_format', toResponseFormat(format)),
    ...toChatTools(tools, toolChoice, fields.parallel_tool_calls),
    ...given('reasoning_effort', fields.reasoning?.effort),
    ...given('verbosity', fields.text?.verbosity),
  };
  return { request: parseChatCompletionRequest(chat), body: Buffer.from(JSON.stringify(chat)) };
}

function given(name: string, value: unknown): object {
  return value === undefined || value === null ? {} : { [name]: value };
}
