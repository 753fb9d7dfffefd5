import { PreambleError } from '../errors.ts';
import type {
  ChatChunkChoice,
  ChatCompletion,
  ChatCompletionChoice,
  ChatCompletionChunk,
  ChatLogprobs,
  ChatToolCallDelta,
} from './chat.ts';

/** Puts a stream's parts together to the answer that the same request would have had without `stream`. Throws `internal` if it is empty. */
export async function collectChatCompletion(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletion> {
  const choices = new Map<number, ChatCompletionChoice>();
  let whole: ChatCompletion | null = null;
  for await (const chunk of chunks) {
    const { id, created, model } = chunk;
    whole ??= { id, object: 'chat.completion', created, model, choices: [] };
    if (chunk.usage) whole.usage = chunk.usage;
    if (chunk.system_fingerprint !== undefined) whole.system_fingerprint = chunk.system_fingerprint;
    for (const part of chunk.choices) addPart(choices, part);
  }
  if (whole === null) throw new PreambleError('internal', 'The backend ended its stream without an answer.');
  whole.choices = [...choices.values()].sort((a, b) => a.index - b.index);
  return whole;
}

function addPart(choices: Map<number, ChatCompletionChoice>, part: ChatChunkChoice): void {
  const { index, delta } = part;
  const choice = choices.get(index) ?? {
    index,
    message: { role: 'assistant', content: null, refusal: null },
    logprobs: null,
    finish_reason: null,
  };
  choices.set(index, choice);
  const { message } = choice;
  if (typeof delta.content === 'string') message.content = (message.content ?? '') + delta.content;
  if (typeof delta.refusal === 'string') message.refusal = (message.refusal ?? '') + delta.refusal;
  for (const call of delta.tool_calls ?? []) addToolCall(choice, call);
  choice.logprobs = joinLogprobs(choice.logprobs, part.logprobs ?? null);
  choice.finish_reason = part.finish_reason ?? choice.finish_reason;
}

/** Calls are numbered from 0 without gaps; a number far beyond would otherwise make an array of that length. */
const MAX_TOOL_CALLS = 128;

function addToolCall(choice: ChatCompletionChoice, delta: ChatToolCallDelta): void {
  const { message } = choice;
  message.tool_calls ??= [];
  if (!(delta.index >= 0 && delta.index < MAX_TOOL_CALLS)) return;
  while (message.tool_calls.length <= delta.index)
    message.tool_calls.push({ id: '', type: 'function', function: { name: '', arguments: '' } });
  const call = message.tool_calls[delta.index];
  if (call === undefined) return;
  call.id = delta.id ?? call.id;
  call.function.name += delta.function?.name ?? '';
  call.function.arguments += delta.function?.arguments ?? '';
}

/** Appends to `before`, which no one else holds: a copy each time would make long answers quadratic. */
function joinLogprobs(before: ChatLogprobs | null, more: ChatLogprobs | null): ChatLogprobs | null {
  if (more === null) return before;
  if (before === null) return { content: [...(more.content ?? [])], refusal: null };
  before.content?.push(...(more.content ?? []));
  return before;
}
