import { PreambleError } from '../../errors.ts';
import { type AnswerIdentity, type FinishReason, newAnswerIdentity } from '../../openai/answer.ts';
import type { ChatCompletion, ChatCompletionChunk, ChatLogprobs } from '../../openai/chat.ts';
import { chatChunks } from '../../openai/chat-answer.ts';
import { collectChatCompletion } from '../../openai/collect-chat.ts';
import { type ReportedToken, toChatLogprobs } from '../../openai/logprobs.ts';
import { parseUpstreamJson, type ReadCompletion, readCompletion } from '../../openai/read-answer.ts';
import { relayedParts } from '../../openai/relayed-parts.ts';
import { isObject } from '../../openai/validate.ts';
import { collectWhole } from '../../openai/whole-answer.ts';
import type { Answer, RelayedAnswer } from '../backend.ts';
import { upstreamError } from '../upstream/errors.ts';

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
  const whole = readCompletion(parseUpstreamJson((await collectWhole(answer.body)).toString('utf8')));
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
  for await (const value of relayedParts(body)) {
    const part = readCompletion(value);
    if (part === null) throw isFault(value) ? upstreamError(FAULT_STATUS, {}, JSON.stringify(value)) : invalid();
    yield part;
  }
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

function isFault(value: unknown): boolean {
  return isObject(value) && isObject(value['error']);
}

function invalid(): PreambleError {
  return new PreambleError('upstream_invalid', 'The model server did not answer with a completion.');
}
