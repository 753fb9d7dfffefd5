import Type from 'typebox';
import type { ContentPart } from '../chat.ts';
import { fieldError, isObject, valueParser } from '../validate.ts';
import { toChatPart } from './content-parts.ts';
import { quote, unsupported } from './unsupported.ts';

type Content = string | ContentPart[];

/** One item of a conversation, as far as a chat model has a use for it. */
export type InputItem =
  | { readonly kind: 'message'; readonly role: MessageRole; readonly content: Content }
  | { readonly kind: 'call'; readonly callId: string; readonly name: string; readonly arguments: string }
  | { readonly kind: 'output'; readonly callId: string; readonly content: Content; readonly path: string }
  /** An item of an answer that is kept here, by its id. */
  | { readonly kind: 'reference'; readonly id: string; readonly path: string };

type MessageRole = 'user' | 'assistant' | 'system' | 'developer';

const open = { additionalProperties: true };
const contentSchema = Type.Union([Type.String(), Type.Array(Type.Object({ type: Type.String() }, open))]);

const readMessage = valueParser(
  Type.Object(
    {
      role: Type.Union([
        Type.Literal('user'),
        Type.Literal('assistant'),
        Type.Literal('system'),
        Type.Literal('developer'),
      ]),
      content: contentSchema,
    },
    open,
  ),
);
const readCall = valueParser(
  Type.Object(
    { call_id: Type.String({ minLength: 1 }), name: Type.String({ minLength: 1 }), arguments: Type.String() },
    open,
  ),
);
const readOutput = valueParser(Type.Object({ call_id: Type.String({ minLength: 1 }), output: contentSchema }, open));
const readReference = valueParser(Type.Object({ id: Type.String({ minLength: 1 }) }, open));

/** `input` as items. Throws `invalid_request`, and `unsupported_parameter` for items of tools that are not here. */
export function readInput(input: string | readonly unknown[]): InputItem[] {
  if (typeof input === 'string') return [{ kind: 'message', role: 'user', content: input }];
  return input.flatMap((item, index) => readItem(item, `input[${index}]`));
}

/** Empty for an item that has nothing for a chat model. */
export function readItem(item: unknown, path: string): InputItem[] {
  const type = typeOf(item, path);
  switch (type) {
    case 'message':
      return [messageItem(item, path)];
    case 'function_call': {
      const { call_id: callId, name, arguments: text } = readCall(item, path);
      return [{ kind: 'call', callId, name, arguments: text }];
    }
    case 'function_call_output': {
      const { call_id: callId, output } = readOutput(item, path);
      return [{ kind: 'output', callId, content: toContent(output, `${path}.output`), path }];
    }
    case 'item_reference':
      return [{ kind: 'reference', id: readReference(item, path).id, path }];
    // What a model thought before is not shown to it again, and most of it is encrypted.
    case 'reasoning':
      return [];
    default:
      throw unsupported(
        `${path}.type`,
        `'${path}' is of type ${quote(type)}, which belongs to a tool that is not here`,
        'There are message, function_call, function_call_output, item_reference and reasoning.',
      );
  }
}

/** Messages and references may come without a type. */
function typeOf(item: unknown, path: string): string {
  if (!isObject(item)) throw fieldError(path, 'must be of type object');
  const type = item['type'] ?? null;
  if (typeof type === 'string') return type;
  if (type !== null) throw fieldError(`${path}.type`, 'must be of type string');
  return Object.hasOwn(item, 'role') || !Object.hasOwn(item, 'id') ? 'message' : 'item_reference';
}

function messageItem(item: unknown, path: string): InputItem {
  const { role, content } = readMessage(item, path);
  const parts = toContent(content, `${path}.content`);
  if (typeof parts === 'string') return { kind: 'message', role, content: parts };
  // An assistant's message is text to chat templates.
  if (role === 'assistant') return { kind: 'message', role, content: joinedText(parts, `${path}.content`) };
  if (parts.length === 0) throw fieldError(`${path}.content`, 'needs at least one content part');
  return { kind: 'message', role, content: parts };
}

/** One text alone is the same as a string, which every server takes. */
function toContent(content: string | readonly { type: string }[], path: string): Content {
  if (typeof content === 'string') return content;
  const parts = content.map((part, index) => toChatPart(part, `${path}[${index}]`));
  const [only, ...others] = parts;
  return only?.type === 'text' && only.text !== undefined && others.length === 0 ? only.text : parts;
}

function joinedText(parts: readonly ContentPart[], path: string): string {
  const image = parts.findIndex(({ type }) => type !== 'text');
  if (image >= 0) throw fieldError(`${path}[${image}]`, 'an assistant says text');
  return parts.map(({ text = '' }) => text).join('');
}
