import { PreambleError } from '../errors.ts';
import { isObject } from './validate.ts';
import { type JsonNode, pathOf, walkJson } from './walk-json.ts';

/** The text that vLLM's renderer puts where embeddings go; in a client's own text it would claim the safety prompt's place. */
export const RESERVED_TEXT = '<prompt_embeds>';
/** Reads the same to a model and means nothing to the server. */
const HARMLESS_TEXT = '<prompt-embeds>';

/** Fields and content parts in which a client hands the model server a tensor to deserialise (CVE-2025-62164 and its successors). */
const TENSOR_FIELDS = ['prompt_embeds', 'image_embeds', 'audio_embeds', 'video_embeds'];

/**
 * Refuses a client's own embeddings: a field or a content part of that name, at the top level or anywhere within `messages` or `input`.
 * Throws PreambleError `unsupported_parameter`.
 */
export function refuseClientEmbeddings(body: unknown): void {
  if (!isObject(body)) return;
  for (const field of TENSOR_FIELDS) if (Object.hasOwn(body, field)) throw embeddingsRefused(field);
  walkJson({ messages: body['messages'], input: body['input'] }, (node) => {
    if (typeof node.value === 'string') return;
    for (const field of TENSOR_FIELDS) {
      if (Object.hasOwn(node.value, field) || ('type' in node.value && node.value.type === field))
        throw embeddingsRefused(pathOf(node));
    }
  });
}

/**
 * Refuses {@link RESERVED_TEXT} anywhere in a request: in strings and names, in JSON text that spells it with `\u` escapes (the
 * arguments of a tool call are parsed by the server), and spread over neighbouring text parts (templates join them).
 * Throws PreambleError `invalid_request`.
 */
export function refuseReservedText(body: unknown): void {
  walkJson(body, (node) => {
    if (holdsReservedText(node)) throw reservedTextRefused(pathOf(node));
  });
}

/**
 * A copy in which {@link RESERVED_TEXT} reads `<prompt-embeds>`. What cannot be rewritten in place (names, escapes, pieces spread over
 * parts) is still refused. Recursive: after `assertJsonDepth` only.
 */
export function neutraliseReservedText(body: unknown): unknown {
  const harmless = rewrite(body);
  refuseReservedText(harmless);
  return harmless;
}

function rewrite(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(RESERVED_TEXT, HARMLESS_TEXT);
  if (Array.isArray(value)) return value.map(rewrite);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, rewrite(child)]));
}

function holdsReservedText({ value }: JsonNode): boolean {
  if (typeof value === 'string') return spellsReservedText(value);
  if (Array.isArray(value)) return value.length > 1 && joinedText(value).includes(RESERVED_TEXT);
  return Object.keys(value).some(spellsReservedText);
}

function spellsReservedText(text: string): boolean {
  return text.includes(RESERVED_TEXT) || (text.includes('\\u') && unescapeUnicode(text).includes(RESERVED_TEXT));
}

function unescapeUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** The text parts of an array, as a template without separators puts them together. */
function joinedText(parts: readonly unknown[]): string {
  return parts.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}

function embeddingsRefused(path: string): PreambleError {
  return new PreambleError('unsupported_parameter', `'${path}' holds embeddings, which clients may not send.`, {
    action: 'Send text.',
    param: path,
  });
}

function reservedTextRefused(path: string): PreambleError {
  return new PreambleError(
    'invalid_request',
    `${path === '' ? 'The request body' : `'${path}'`} holds the text ${RESERVED_TEXT}, which is reserved.`,
    {
      action: 'Spell it differently.',
      param: path,
    },
  );
}
