import { PreambleError } from '../../errors.ts';
import { type AnswerIdentity, type FinishReason, newAnswerIdentity } from '../../openai/answer.ts';
import type { ChatCompletion, ChatCompletionChunk, ChatLogprobs } from '../../openai/chat.ts';
import { chatChunks } from '../../openai/chat-answer.ts';
import { collectChatCompletion } from '../../openai/collect-chat.ts';
import { type ReportedToken, toChatLogprobs } from '../../openai/logprobs.ts';
import { parseUpstreamJson, type ReadCompletion, readCompletion } from '../../openai/read-answer.ts';
import { createSseFramer } from '../../openai/sse-frames.ts';
import { isObject } from '../../openai/validate.ts';
import type { Answer, RelayedAnswer } from '../backend.ts';
import { upstreamError } from '../upstream/errors.ts';

const DONE = '[DONE]';
/** A whole answer of 128 choices with logprobs stays far below; more is not an answer. */
const MAX_WHOLE_BYTES = 64 * 2 ** 20;
/** Of an error in mid-stream, when the status has been sent. */
const FAULT_STATUS = 500;
const finishReasons: readonly FinishReason[] = ['stop', 'length', 'content_filter', 'tool_calls', 'function_call'];

export interface ChatFromCompletionOptions {
  /** The client's name for the model. */
  readonly model: string;
  readonly includeUsage: boolean;
  readonly logprobs: boolean;
}

/** A server's completion of a rendered conversation, as the chat answer that the client asked for. */
export async function chatFromCompletion(
  answer: RelayedAnswer,
  options: ChatFromCompletionOptions,
): Promise<Answer<ChatCompletion, ChatCompletionChunk>> {
  const identity = newAnswerIdentity('chatcmpl', options.model);
  if (answer.events) return { kind: 'stream', parts: chatParts(completionParts(answer.body), identity, options) };
  const whole = readCompletion(parseUpstreamJson(await readText(answer.body)));
  if (whole === null) throw invalid();
  return { kind: 'whole', body: await collectChatCompletion(chatParts([whole], identity, options)) };
}

async function* chatParts(
  parts: AsyncIterable<ReadCompletion> | Iterable<ReadCompletion>,
  identity: AnswerIdentity,
  { includeUsage, logprobs }: ChatFromCompletionOptions,
): AsyncGenerator<ChatCompletionChunk> {
  const chunks = chatChunks(identity, includeUsage);
  const spoken = new Set<number>();
  for await (const { choices, usage } of parts) {
    for (const { index, text, finish_reason: reason, logprobs: reported } of choices) {
      if (!spoken.has(index)) yield chunks.role(index);
      spoken.add(index);
      const tokens = logprobs ? toLogprobs(reported) : null;
      if (text !== '' || tokens !== null) yield chunks.content(index, text, tokens);
      if (reason) yield chunks.finish(index, finishReasons.find((known) => known === reason) ?? 'stop');
    }
    if (usage) {
      const { prompt_tokens, completion_tokens, total_tokens } = usage;
      yield chunks.usage({ prompt_tokens, completion_tokens, total_tokens });
    }
  }
}

async function* completionParts(body: AsyncIterable<Uint8Array>): AsyncGenerator<ReadCompletion> {
  const framer = createSseFramer();
  for await (const bytes of body) {
    for (const { data } of framer.push(bytes)) {
      if (data === DONE) return;
      if (data === null) continue;
      const value = parseUpstreamJson(data);
      const part = readCompletion(value);
      if (part === null) throw isFault(value) ? upstreamError(FAULT_STATUS, {}, data) : invalid();
      yield part;
    }
  }
  throw new PreambleError('upstream_broken', 'The model server broke off before the answer was complete.', {
    action: 'Try again.',
  });
}

/** Parallel arrays of a completion as the chat's list. */
function toLogprobs(value: unknown): ChatLogprobs | null {
  if (!isObject(value) || !Array.isArray(value['tokens']) || !Array.isArray(value['token_logprobs'])) return null;
  const { tokens, token_logprobs: logprobs, top_logprobs: tops } = value;
  const reported = tokens.map((token: unknown, index): ReportedToken => {
    const top: unknown = Array.isArray(tops) ? tops[index] : null;
    const others = isObject(top) ? Object.entries(top) : [];
    return {
      ...alternative(String(token), logprobs[index]),
      top: others.map(([text, logprob]) => alternative(text, logprob)).sort((a, b) => b.logprob - a.logprob),
    };
  });
  return toChatLogprobs(reported);
}

function alternative(text: string, logprob: unknown) {
  return { text, bytes: [...Buffer.from(text)], logprob: typeof logprob === 'number' ? logprob : -Infinity };
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_WHOLE_BYTES) throw invalid();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isFault(value: unknown): boolean {
  return isObject(value) && isObject(value['error']);
}

function invalid(): PreambleError {
  return new PreambleError('upstream_invalid', 'The model server did not answer with a completion.');
}
