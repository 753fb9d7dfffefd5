import { PreambleError } from '../../errors.ts';

/** A message of an OpenAI request, as far as templates see it. */
export interface ChatMessage {
  readonly role: string;
  readonly content?:
    | string
    | null
    | readonly { readonly type: string; readonly text?: string | undefined }[]
    | undefined;
  readonly name?: string | null | undefined;
  readonly tool_calls?: readonly object[] | null | undefined;
  readonly tool_call_id?: string | null | undefined;
  readonly reasoning_content?: unknown;
}

/** A message as a template gets it. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string | readonly TextPart[];
  readonly name?: string;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
  readonly reasoning_content?: string;
}

export interface TextPart {
  readonly type: string;
  readonly text: string;
}

/** A message whose text is still in parts, before the soft prompt is placed. */
export interface PlainMessage extends Omit<TemplateMessage, 'content'> {
  readonly texts: readonly string[];
}

const roles: ReadonlySet<string> = new Set(['system', 'developer', 'user', 'assistant', 'tool']);

/** `developer` is OpenAI's newer name for `system`. Throws `invalid_request` with the message's place as `param`. */
export function readMessage(message: ChatMessage, index: number, splitReasoning: boolean): PlainMessage {
  const param = `messages[${index}]`;
  // roles go into templates as they are, so only the known ones may
  if (!roles.has(message.role)) throw refuse(`${param}.role`, 'is not a role that models know');
  const plain = {
    role: message.role === 'developer' ? 'system' : message.role,
    texts: readTexts(message.content, `${param}.content`),
    ...(typeof message.name === 'string' ? { name: message.name } : {}),
    ...(typeof message.tool_call_id === 'string' ? { tool_call_id: message.tool_call_id } : {}),
    ...(message.tool_calls?.length
      ? { tool_calls: message.tool_calls.map((call, at) => readToolCall(call, `${param}.tool_calls[${at}]`)) }
      : {}),
    ...(typeof message.reasoning_content === 'string' ? { reasoning_content: message.reasoning_content } : {}),
  };
  return splitReasoning && plain.role === 'assistant' ? withReasoning(plain) : plain;
}

/** The parts' texts; a plain text is one part. Empty for a message without content. */
function readTexts(content: ChatMessage['content'], param: string): readonly string[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return [content];
  return content.map((part, index) => {
    if (part.type === 'text' && typeof part.text === 'string') return part.text;
    if (part.type === 'refusal' && 'refusal' in part && typeof part.refusal === 'string') return part.refusal;
    throw refuse(`${param}[${index}]`, 'is not a text part, and this model reads text only');
  });
}

/** Templates print `arguments` as an object, OpenAI sends them as JSON text: parsed, as vLLM does. */
function readToolCall(call: object, param: string): unknown {
  const description = 'function' in call ? call.function : undefined;
  if (typeof description !== 'object' || description === null || !('arguments' in description)) return call;
  if (typeof description.arguments !== 'string') return call;
  try {
    const parsed: unknown = description.arguments === '' ? {} : JSON.parse(description.arguments);
    return { ...call, function: { ...description, arguments: parsed } };
  } catch (error) {
    throw refuse(`${param}.function.arguments`, 'is not JSON', error);
  }
}

/**
 * A template that looks for `</think>` in an earlier answer would not find it once user text is protected, so the
 * reasoning is split off here, as the templates of Qwen3 and its kin do.
 */
function withReasoning(message: PlainMessage): PlainMessage {
  const text = message.texts.join('\n');
  if (message.reasoning_content !== undefined || !text.includes('</think>')) return message;
  const [before = ''] = text.split('</think>');
  const reasoning = (before.replace(/\n+$/, '').split('<think>').at(-1) ?? '').replace(/^\n+/, '');
  const answer = (text.split('</think>').at(-1) ?? '').replace(/^\n+/, '');
  return { ...message, texts: [answer], reasoning_content: reasoning };
}

function refuse(param: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('invalid_request', `'${param}' ${what}.`, { param, cause });
}
