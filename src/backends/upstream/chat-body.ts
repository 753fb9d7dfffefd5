import { arraySpans, type JsonSpan, objectSpans, rootSpan } from '../../formats/json-spans.ts';
import { type Edit, splice } from '../../formats/splice.ts';
import type { ChatMessage, ChatRequest } from '../../openai/chat.ts';
import { fieldError } from '../../openai/validate.ts';
import { modelEdit, usageEdit } from './common-edits.ts';

export interface ChatBodyOptions {
  /** The server's name for the model. */
  readonly model: string;
  /** What stands in front of the conversation: a content part in JSON, sent by reference; null for nothing. */
  readonly front: Uint8Array | null;
  /** In the system message, or in the first user message. */
  readonly place: 'system' | 'user';
}

const comma = Buffer.from(',');
const beforeText = Buffer.from('[');
const betweenParts = Buffer.from(',{"type":"text","text":');
const afterText = Buffer.from('}]');
const beforeMessage = Buffer.from('{"role":"system","content":[');
const afterMessage = Buffer.from(']},');
const systemRole = Buffer.from('"system"');

/**
 * The request as it goes to vLLM: the client's own bytes, but for the model's name, the counts that are asked for, and the part in front.
 * `bytes` is the JSON text of `request`. Nothing is copied. Throws `invalid_request` where there is no place for the part.
 */
export function chatBody(bytes: Buffer, request: ChatRequest, options: ChatBodyOptions): Uint8Array[] {
  const object = rootSpan(bytes);
  const fields = objectSpans(bytes, object);
  const edits = [modelEdit(fields, options.model), ...usageEdit(object, fields, request)];
  if (options.front !== null) edits.push(...frontEdits(bytes, fields, request.messages, options.front, options.place));
  // A byte order mark or line feeds around the object are the client's own.
  return splice(bytes.subarray(0, object.end), [{ start: 0, end: object.start, bytes: [] }, ...edits]);
}

function frontEdits(
  bytes: Buffer,
  fields: ReadonlyMap<string, JsonSpan>,
  messages: readonly ChatMessage[],
  front: Uint8Array,
  place: 'system' | 'user',
): Edit[] {
  const array = fields.get('messages') ?? { start: 0, end: 0 };
  const at = place === 'system' ? leadingSystem(messages) : messages.findIndex(({ role }) => role === 'user');
  if (at < 0) {
    if (place === 'user') throw fieldError('messages', 'has no user message');
    const inside = array.start + 1;
    return [{ start: inside, end: inside, bytes: [beforeMessage, front, afterMessage] }];
  }
  const span = arraySpans(bytes, array)[at] ?? array;
  const message = objectSpans(bytes, span);
  const role = message.get('role');
  // Most templates know no `developer`, OpenAI's newer name for the same.
  const renamed = messages[at]?.role === 'developer' && role !== undefined ? [{ ...role, bytes: [systemRole] }] : [];
  return [...renamed, ...contentEdits(message.get('content') ?? span, messages[at]?.content, front)];
}

function leadingSystem([first]: readonly ChatMessage[]): number {
  return first?.role === 'system' || first?.role === 'developer' ? 0 : -1;
}

/** The part in front of a text, which becomes a part of its own, or of the parts that are there. */
function contentEdits(span: JsonSpan, content: ChatMessage['content'], front: Uint8Array): Edit[] {
  const { start, end } = span;
  if (Array.isArray(content)) return [{ start: start + 1, end: start + 1, bytes: [front, comma] }];
  return [
    { start, end: start, bytes: [beforeText, front, betweenParts] },
    { start: end, end, bytes: [afterText] },
  ];
}
