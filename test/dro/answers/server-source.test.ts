import t, { type Test } from 'tap';
import type { AnswerRequest } from '../../../src/dro/answers/answer-source.ts';
import { noPrompt, softPrompt, textPrompt } from '../../../src/dro/answers/prompt-under-test.ts';
import { openServerSource, type ServerSourceOptions } from '../../../src/dro/answers/server-source.ts';
import { never } from '../../helpers/default-engine.ts';
import {
  beginEvents,
  chunkEvent,
  doneEvent,
  type FakeVllm,
  lastChunk,
  sendJson,
  startFakeVllm,
  usageEvent,
} from '../../helpers/fake-vllm.ts';

const request: AnswerRequest = {
  query: 'How are you?',
  prompt: noPrompt,
  sampling: { temperature: 0.7, topP: 0.9, seed: 3 },
  maxTokens: 20,
};

async function open(t: Test, servers: readonly FakeVllm[], options: Partial<ServerSourceOptions> = {}) {
  const urls = servers.map(({ origin }) => origin);
  const source = await openServerSource({ urls, model: 'org/model', firstWaitMs: 1, ...options }, never);
  t.teardown(source.close);
  return source;
}

const asked = (server: FakeVllm, index: number) => JSON.parse(String(server.received[index]?.body));

t.test('a query is a streamed chat request, its text prompt the system message', async (t) => {
  const server = await startFakeVllm(t, { apiKey: 'sesame' });
  const source = await open(t, [server], { model: null, apiKey: 'sesame' });
  t.equal(source.name, 'server org/model');
  const answer = await source.answer({ ...request, prompt: textPrompt('careful', 'Be careful.') }, never);
  t.match(answer, { text: 'Good day.', finishReason: 'stop', completionTokens: 3, decision: { decision: 'complied' } });
  t.strictSame(asked(server, 0), {
    model: 'org/model',
    messages: [
      { role: 'system', content: 'Be careful.' },
      { role: 'user', content: 'How are you?' },
    ],
    max_tokens: 20,
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.7,
    top_p: 0.9,
    seed: 3,
  });
  await source.answer({ ...request, sampling: { temperature: 0 } }, never);
  t.equal(asked(server, 1).temperature, 0);
  t.notOk('seed' in asked(server, 1));
});

t.test('a soft prompt goes as its rows, also one that has never been stored', async (t) => {
  const server = await startFakeVllm(t);
  const source = await open(t, [server]);
  const values = Float32Array.from({ length: 8 }, (_, index) => index);
  const prompt = softPrompt(
    { label: 'soft@1.0.0', digest: 'a'.repeat(64), tokens: 2, hiddenSize: 4, values },
    'system',
  );
  t.equal((await source.answer({ ...request, prompt }, never)).text, 'Good day.');
  t.match(asked(server, 0).messages, [{ role: 'system', content: [{ type: 'prompt_embeds' }] }, { role: 'user' }]);
  server.options.embeddings = false;
  await t.rejects(source.answer({ ...request, prompt }, never), { code: 'upstream_error', message: /prompt-embeds/ });
  t.equal(server.received.length, 2, 'what the server will never take is not tried again');
});

t.test('what is decided is not heard to its end', async (t) => {
  const server = await startFakeVllm(t);
  server.script = (response) => {
    beginEvents(response).write(chunkEvent("I'm sorry, but I can't help with that. "));
    response.write(chunkEvent('That '));
  };
  const source = await open(t, [server]);
  const answer = await source.answer({ ...request, untilDecided: true }, never);
  t.match(answer, { finishReason: 'decided', decision: { decision: 'refused' } });
  await server.received[0]?.aborted;
});

t.test('a server that is busy, broken or cut off in mid-answer is asked again', async (t) => {
  const server = await startFakeVllm(t);
  const scripts: FakeVllm['script'][] = [
    (response) => sendJson(response, 429, { error: { message: 'busy' } }),
    (response) => sendJson(response, 500, { error: { message: 'oh' } }),
    (response) => beginEvents(response).end(chunkEvent('Go')),
    (response) => beginEvents(response).write(chunkEvent('Go'), () => response.destroy()),
    (response) => beginEvents(response).end(chunkEvent('Good.') + lastChunk + usageEvent + doneEvent),
  ];
  server.script = (response, received) => scripts.shift()?.(response, received);
  const source = await open(t, [server]);
  t.match(await source.answer(request, never), { text: 'Good.', finishReason: 'stop', completionTokens: 3 });
  t.equal(server.received.length, 5);
});

t.test('requests are spread over servers; when one goes away the others answer, when all do it is said', async (t) => {
  const first = await startFakeVllm(t);
  const second = await startFakeVllm(t);
  const source = await open(t, [first, second], { concurrency: 4, tries: 3 });
  t.equal(source.concurrency, 8);
  await Promise.all(Array.from({ length: 8 }, () => source.answer(request, never)));
  t.equal(first.received.length, 4);
  t.equal(second.received.length, 4);
  await first.stop();
  await Promise.all(Array.from({ length: 4 }, () => source.answer(request, never)));
  t.equal(second.received.length, 8);
  await second.stop();
  await t.rejects(source.answer(request, never), {
    code: /^upstream_/,
    message: /\(http:\/\/127\.0\.0\.1:\d+, tried 3 times\)\.$/,
    action: 'Check that the server runs.',
  });
});

t.test('a server with several models needs a name, a wrong key is told', async (t) => {
  const server = await startFakeVllm(t, { models: [{ id: 'a' }, { id: 'b' }] });
  await t.rejects(open(t, [server], { model: null }), {
    message: /it has 2 models: "a", "b"/,
    action: /--server-model/,
  });
  server.options.apiKey = 'sesame';
  const source = await open(t, [server]);
  await t.rejects(source.answer(request, never), { code: 'upstream_error', message: /^Unauthorized/, action: /key/ });
});

t.test('an abort ends a request that waits to be repeated', async (t) => {
  const server = await startFakeVllm(t);
  server.script = (response) => sendJson(response, 503, {});
  const source = await open(t, [server], { firstWaitMs: 60_000 });
  const abort = new AbortController();
  const answer = source.answer(request, abort.signal);
  await server.next();
  setTimeout(() => abort.abort(new Error('enough')), 20);
  await t.rejects(answer, { message: 'enough' });
});
