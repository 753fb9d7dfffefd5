import t from 'tap';
import { newAnswerIdentity, toUsage } from '../../src/openai/answer.ts';
import type { ChatCompletionChunk } from '../../src/openai/chat.ts';
import { chatChunks, chatCompletion } from '../../src/openai/chat-answer.ts';
import { collectChatCompletion } from '../../src/openai/collect-chat.ts';
import { collectCompletion } from '../../src/openai/collect-completion.ts';
import { completion, completionParts } from '../../src/openai/completion-answer.ts';
import { toChatLogprobs, toCompletionLogprobs } from '../../src/openai/logprobs.ts';

async function* streamOf<Part>(parts: readonly Part[]): AsyncGenerator<Part> {
  yield* parts;
}

const usage = toUsage({ promptTokens: 20, completionTokens: 4, cachedTokens: 16 });
const token = (text: string) => ({ text, bytes: null, logprob: -1, top: [] });

t.test('the parts of a chat answer have OpenAI’s shape', async (t) => {
  const identity = newAnswerIdentity('chatcmpl', 'm');
  t.match(identity, { id: /^chatcmpl-[0-9a-f]{32}$/, model: 'm' });
  t.ok(Math.abs(identity.created - Date.now() / 1000) < 2, 'seconds');
  const head = { id: identity.id, created: identity.created, model: 'm', object: 'chat.completion.chunk' };
  const chunks = chatChunks(identity, true);
  const plain = { index: 0, logprobs: null, finish_reason: null };
  t.strictSame(chunks.role(0), {
    ...head,
    choices: [{ ...plain, delta: { role: 'assistant', content: '' } }],
    usage: null,
  });
  t.strictSame(chunks.content(0, 'Hi'), { ...head, choices: [{ ...plain, delta: { content: 'Hi' } }], usage: null });
  t.strictSame(chunks.finish(0, 'stop'), {
    ...head,
    choices: [{ ...plain, delta: {}, finish_reason: 'stop' }],
    usage: null,
  });
  t.strictSame(chunks.usage(usage), { ...head, choices: [], usage });
  t.notOk('usage' in chatChunks(identity, false).content(0, 'Hi'));
  t.strictSame(usage, {
    prompt_tokens: 20,
    completion_tokens: 4,
    total_tokens: 24,
    prompt_tokens_details: { cached_tokens: 16 },
  });
});

t.test('a collected chat stream is the whole answer, choices in order', async (t) => {
  const identity = newAnswerIdentity('chatcmpl', 'm');
  const chunks = chatChunks(identity, true);
  const stream = [
    chunks.role(1),
    chunks.role(0),
    chunks.content(1, 'No', toChatLogprobs([token('No')])),
    chunks.content(0, 'Yes'),
    chunks.content(1, '.', toChatLogprobs([token('.')])),
    chunks.finish(1, 'length'),
    chunks.finish(0, 'stop'),
    chunks.usage(usage),
  ];
  const before = structuredClone(stream);
  const choice = (index: number, content: string) => ({
    index,
    message: { role: 'assistant' as const, content, refusal: null },
  });
  t.strictSame(
    await collectChatCompletion(streamOf(stream)),
    chatCompletion(
      identity,
      [
        { ...choice(0, 'Yes'), logprobs: null, finish_reason: 'stop' },
        { ...choice(1, 'No.'), logprobs: toChatLogprobs([token('No'), token('.')]), finish_reason: 'length' },
      ],
      usage,
    ),
  );
  t.strictSame(stream, before, 'the parts are left as they came');
});

t.test('tool calls and refusals in pieces are put together; absurd call numbers are dropped', async (t) => {
  const head = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm' } as const;
  const part = (delta: ChatCompletionChunk['choices'][number]['delta']): ChatCompletionChunk => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
  });
  const whole = await collectChatCompletion(
    streamOf([
      part({ role: 'assistant', content: null, refusal: 'I ' }),
      part({ refusal: 'cannot.' }),
      part({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }] }),
      part({ tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
      part({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }, { index: 4e9 }, { index: -1 }] }),
    ]),
  );
  t.strictSame(whole.choices[0]?.message, {
    role: 'assistant',
    content: null,
    refusal: 'I cannot.',
    tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
  });
});

t.test('a collected completion stream is the whole answer', async (t) => {
  const identity = newAnswerIdentity('cmpl', 'm');
  const parts = completionParts(identity, true);
  const stream = [
    parts.text(0, 'a', toCompletionLogprobs([token('a')], 0)),
    parts.text(1, 'x'),
    parts.text(0, 'b', toCompletionLogprobs([token('b')], 1)),
    parts.finish(0, 'stop'),
    parts.finish(1, 'length'),
    parts.usage(usage),
  ];
  const before = structuredClone(stream);
  t.strictSame(
    await collectCompletion(streamOf(stream)),
    completion(
      identity,
      [
        { index: 0, text: 'ab', logprobs: toCompletionLogprobs([token('a'), token('b')], 0), finish_reason: 'stop' },
        { index: 1, text: 'x', logprobs: null, finish_reason: 'length' },
      ],
      usage,
    ),
  );
  t.strictSame(stream, before, 'the parts are left as they came');
});

t.test('a stream without parts is an error', async (t) => {
  await t.rejects(collectChatCompletion(streamOf([])), { code: 'internal' });
  await t.rejects(collectCompletion(streamOf([])), { code: 'internal' });
});
