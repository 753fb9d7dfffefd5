import { arraySpans, type JsonSpan, objectSpans, rootSpan } from '../../formats/json-spans.ts';
import { type Edit, splice } from '../../formats/splice.ts';
import type { ChatMessage, ChatRequest } from '../../openai/chat.ts';
import { fieldError } from '../../openai/validate.ts';
import { modelEdit, usageEdit } from './common-edits.ts';
import type { RequestText } from './dialect.ts';

/** What stands in front of a conversation: a content part, or a text; sent by reference. */
export interface Front {
  /** The content, in JSON, of a message that says nothing else. */
  readonly alone: readonly Uint8Array[];
  /** Puts it in front of the content of a message that is there. */
  inFrontOf(bytes: Buffer, span: JsonSpan, content: ChatMessage['content']): readonly Edit[];
}

export interface ChatBodyOptions {
  /** The server's name for the model. */
  readonly model: string;
  /** Null for nothing. */
  readonly front: Front | null;
  /** In the system message, or in the first user message. */
  readonly place: 'system' | 'user';
  /** What the server calls otherwise than OpenAI does. */
  edits?(text: RequestText): readonly Edit[];
}

const beforeMessage = Buffer.from('{"role":"system","content":');
const afterMessage = Buffer.from('},');
const systemRole = Buffer.from('"system"');

/**
 * The request as it goes to a server: the client's own bytes, but for the model's name, the counts that are asked for, and what stands in
 * front. `bytes` is the JSON text of `request`. Nothing is copied. Throws `invalid_request` where there is no place for it.
 */
export function chatBody(bytes: Buffer, request: ChatRequest, options: ChatBodyOptions): Uint8Array[] {
  const object = rootSpan(bytes);
  const fields = objectSpans(bytes, object);
  const edits = [modelEdit(fields, options.model), ...usageEdit(object, fields, request)];
  if (options.front !== null) edits.push(...frontEdits(bytes, fields, request.messages, options.front, options.place));
  if (options.edits !== undefined) edits.push(...options.edits({ bytes, object, fields }));
  // A byte order mark or line feeds around the object are the client's own.
  return splice(bytes.subarray(0, object.end), [{ start: 0, end: object.start, bytes: [] }, ...edits]);
}

function frontEdits(
  bytes: Buffer,
  fields: ReadonlyMap<string, JsonSpan>,
  messages: readonly ChatMessage[],
  front: Front,
  place: 'system' | 'user',
): Edit[] {
  const array = fields.get('messages') ?? { start: 0, end: 0 };
  const at = place === 'system' ? leadingSystem(messages) : messages.findIndex(({ role }) => role === 'user');
  if (at < 0) {
    if (place === 'user') throw fieldError('messages', 'has no user message');
    const inside = array.start + 1;
    return [{ start: inside, end: inside, bytes: [beforeMessage, ...front.alone, afterMessage] }];
  }
  const span = arraySpans(bytes, array)[at] ?? array;
  const message = objectSpans(bytes, span);
  const role = message.get('role');
  // Most templates know no `developer`, OpenAI's newer name for the same.
  const renamed = messages[at]?.role === 'developer' && role !== undefined ? [{ ...role, bytes: [systemRole] }] : [];
  return [...renamed, ...front.inFrontOf(bytes, message.get('content') ?? span, messages[at]?.content)];
}

function leadingSystem([first]: readonly ChatMessage[]): number {
  return first?.role === 'system' || first?.role === 'developer' ? 0 : -1;
}
