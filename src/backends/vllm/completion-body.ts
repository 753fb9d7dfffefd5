import { type JsonSpan, objectSpans, rootSpan } from '../../formats/json-spans.ts';
import { splice } from '../../formats/splice.ts';
import type { ChatRequest } from '../../openai/chat.ts';
import type { TextRequest } from '../../openai/completions.ts';
import { modelEdit, usageEdit } from '../upstream/common-edits.ts';

const open = Buffer.from('[');
const close = Buffer.from(']');
const comma = Buffer.from(',');
const quote = Buffer.from('"');

/** A raw completion for a server: the client's own bytes, with the inputs, where there are any, in the place of its prompt. */
export function completionBody(
  bytes: Buffer,
  request: TextRequest,
  { model, inputs }: { readonly model: string; readonly inputs: readonly Uint8Array[] | null },
): Uint8Array[] {
  const object = rootSpan(bytes);
  const fields = objectSpans(bytes, object);
  const edits = [modelEdit(fields, model), ...usageEdit(object, fields, request)];
  const prompt = fields.get('prompt');
  if (inputs !== null && prompt !== undefined) {
    edits.push({ ...nameAndValue(bytes, prompt), bytes: [Buffer.from('"prompt_embeds":'), ...list(inputs)] });
  }
  return splice(bytes.subarray(0, object.end), [{ start: 0, end: object.start, bytes: [] }, ...edits]);
}

/**
 * Fields of a chat request that are said otherwise, or mean nothing, in a completion of an input that is rendered already; and those that
 * mean something in a completion only: a `prompt` would be answered beside the input, without the soft prompt.
 */
const NOT_SENT = new Set([
  'prompt',
  'prompt_embeds',
  'suffix',
  'echo',
  'best_of',
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'logprobs',
  'top_logprobs',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
  'chat_template_kwargs',
  'add_generation_prompt',
  'documents',
]);

/** A chat request as a completion of an input that holds the whole templated conversation. All other fields go along as they came. */
export function chatAsCompletion(
  bytes: Buffer,
  request: ChatRequest,
  own: {
    readonly model: string;
    readonly input: Uint8Array;
    readonly maxTokens: number;
    readonly logprobs: number | null;
  },
): Uint8Array[] {
  const fields = [...objectSpans(bytes, rootSpan(bytes))].filter(([name]) => !NOT_SENT.has(name));
  const head = {
    model: own.model,
    max_tokens: own.maxTokens,
    ...(own.logprobs === null ? {} : { logprobs: own.logprobs }),
    ...(request.stream === true ? { stream_options: { ...request.stream_options, include_usage: true } } : {}),
  };
  const rest = fields.flatMap(([name, { start, end }]) => [
    Buffer.from(`,${JSON.stringify(name)}:`),
    bytes.subarray(start, end),
  ]);
  const opening = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"prompt_embeds":"`);
  return [opening, own.input, quote, ...rest, Buffer.from('}')];
}

function list(inputs: readonly Uint8Array[]): Uint8Array[] {
  const items = inputs.flatMap((input, index) => [...(index > 0 ? [comma] : []), quote, input, quote]);
  return inputs.length === 1 ? items : [open, ...items, close];
}

/** From the name's opening quote on. The value's name is the string in front of it. */
function nameAndValue(bytes: Buffer, value: JsonSpan): JsonSpan {
  const colon = bytes.lastIndexOf(':', value.start);
  const closing = bytes.lastIndexOf('"', colon);
  return { start: bytes.lastIndexOf('"', closing - 1), end: value.end };
}
