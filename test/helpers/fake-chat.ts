import type { Backend, Call } from '../../src/backends/backend.ts';
import { newAnswerIdentity } from '../../src/openai/answer.ts';
import type { ChatCompletionChunk, ChatCompletionRequest, ChatDelta, ChatMessage } from '../../src/openai/chat.ts';
import { collectChatCompletion } from '../../src/openai/collect-chat.ts';
import { encodeEvent } from '../../src/openai/sse.ts';
import { isObject } from '../../src/openai/validate.ts';

export interface FakeChatOptions {
  /** What it answers, as stream deltas; by default those of `toolUser`. */
  deltas?(request: ChatCompletionRequest): ChatDelta[];
  finishReason?: ChatCompletionChunk['choices'][number]['finish_reason'];
  /** Answers as a model server on the network would: in bytes. */
  relayed?: boolean;
  /** Of a relayed stream: its last words, in place of `[DONE]`. Empty: it breaks off. */
  lastWords?: string;
  /** Between the parts of a stream. */
  pause?(signal: AbortSignal): Promise<void>;
}

export interface FakeChat extends Backend {
  /** What it was asked, in order. */
  readonly calls: Call<ChatCompletionRequest>[];
}

const usage = {
  prompt_tokens: 11,
  completion_tokens: 5,
  total_tokens: 16,
  prompt_tokens_details: { cached_tokens: 4 },
};

/** A chat model without a model: for what a real small one can't do at will, such as calling tools or breaking off. */
export function createFakeChat(options: FakeChatOptions = {}): FakeChat {
  const { deltas = toolUser, relayed = false, lastWords = 'data: [DONE]\n\n', pause } = options;
  const calls: Call<ChatCompletionRequest>[] = [];

  async function* chunks({ request, signal }: Call<ChatCompletionRequest>): AsyncGenerator<ChatCompletionChunk> {
    const { id, created, model } = newAnswerIdentity('chatcmpl', request.model);
    const head = { id, object: 'chat.completion.chunk', created, model } as const;
    const said = deltas(request);
    const [role, last]: ChatDelta[] = [{ role: 'assistant', content: '' }, {}];
    const reason = options.finishReason ?? (said.some((delta) => delta.tool_calls) ? 'tool_calls' : 'stop');
    for (const delta of [role, ...said, last].filter((one) => one !== undefined)) {
      signal.throwIfAborted();
      yield {
        ...head,
        choices: [{ index: 0, delta, logprobs: null, finish_reason: delta === last ? reason : null }],
      };
      await pause?.(signal);
    }
    yield { ...head, choices: [], usage };
  }

  return {
    kind: 'vllm',
    calls,
    async chatCompletion(call) {
      calls.push(call);
      const streamed = call.request.stream === true;
      if (!relayed) {
        if (streamed) return { kind: 'stream', parts: chunks(call) };
        return { kind: 'whole', body: await collectChatCompletion(chunks(call)) };
      }
      const body = streamed ? eventBytes(chunks(call), lastWords) : wholeBytes(chunks(call));
      const type = streamed ? 'text/event-stream' : 'application/json';
      const headers = { 'content-type': type, 'x-ratelimit-limit-requests': '7' };
      return { kind: 'relayed', status: 200, headers, events: streamed, body };
    },
    completion: () => Promise.reject(new Error('it only chats')),
    ready: async () => {},
    checkPrompt: async () => 'sameEmbeddings',
    problem: () => null,
    servers: () => [],
    adapters: () => new Set(),
    close: async () => {},
  };
}

/** Calls the first tool it has, once; then, or without tools, says what it was told last. */
function toolUser({ messages, tools }: ChatCompletionRequest): ChatDelta[] {
  const last = messages.at(-1);
  const tool: unknown = tools?.[0];
  const described = isObject(tool) ? tool['function'] : undefined;
  if (last?.role !== 'tool' && isObject(described)) {
    const name = String(described['name']);
    return [
      { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '"Paris"}' } }] },
    ];
  }
  return [{ content: 'You said: ' }, { content: textOf(last) }];
}

function textOf(message: ChatMessage | undefined): string {
  const content = message?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
}

async function* eventBytes(chunks: AsyncIterable<object>, lastWords: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(encodeEvent(chunk));
  if (lastWords !== '') yield Buffer.from(lastWords);
}

async function* wholeBytes(chunks: AsyncIterable<ChatCompletionChunk>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(await collectChatCompletion(chunks)));
}
