import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { build, modelName, postJson } from '../helpers/build.ts';
import { createFakeChat, type FakeChatOptions } from '../helpers/fake-chat.ts';

const base = { model: modelName, input: 'Hello' };

async function eventsOf(t: Parameters<typeof build>[0], options: FakeChatOptions) {
  const built = await build(t, { backend: createFakeChat(options) });
  const response = await postJson(`${built.origin}/v1/responses`, { ...base, stream: true });
  const events = (await response.text())
    .trimEnd()
    .split('\n\n')
    .map((event) => JSON.parse(event.replace(/^.*\ndata: /, '')));
  return { ...built, events };
}

const error = { message: 'CUDA out of memory', type: 'InternalServerError', param: null, code: 500 };

for (const [name, lastWords] of [
  ['breaks off', ''],
  ['breaks off within an event', 'data: [DO'],
  ['sends an error', `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`],
  ['sends what is no JSON', 'data: {"choices":\n\ndata: [DONE]\n\n'],
  ['sends what is no chunk', 'data: {"choices":[{"index":0,"delta":5}]}\n\ndata: [DONE]\n\n'],
] as const) {
  t.test(`a server that ${name} in mid-stream`, async (t) => {
    const { events, client } = await eventsOf(t, { relayed: true, lastWords });
    const [fault, failed] = events.slice(-2);
    t.match(fault, { type: 'error', error: { type: 'server_error' }, sequence_number: events.length - 2 });
    t.match(failed, { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error' } } });
    t.match(failed.response.output, [{ content: [{ text: 'You said: Hello' }] }], 'what came until then');
    await t.rejects(
      client.responses.stream(base).finalResponse(),
      { message: failed.response.error.message },
      "OpenAI's client throws",
    );
  });
}

t.test("a server's own words in mid-stream are the client's, and not the log's", async (t) => {
  const lastWords = `data: ${JSON.stringify({ error })}\n\n`;
  const { events, decisions, logs } = await eventsOf(t, { relayed: true, lastWords });
  const told = { message: error.message, param: null, code: null };
  t.match(events.at(-2), { ...told, error: told });
  t.match(events.at(-1), { response: { error: { message: error.message } } });
  t.match(decisions(), [{ decision: /\S/, stream: true }]);
  t.notMatch(JSON.stringify(logs), /CUDA/, 'they may quote the request');
});

t.test('a whole answer that is none is 502', async (t) => {
  const backend = createFakeChat({ relayed: true });
  const nonsense = { ...backend, chatCompletion: async () => relayedWhole('{"choices":[{"message":5}]}') };
  const { client } = await build(t, { backend: nonsense });
  await t.rejects(client.responses.create(base), { status: 502, message: /\S/ });
});

function relayedWhole(json: string) {
  const body = (async function* () {
    yield Buffer.from(json);
  })();
  return { kind: 'relayed' as const, status: 200, headers: {}, events: false, body };
}

t.test('a client that goes away ends the answer', async (t) => {
  for (const stream of [true, false]) {
    const started = Promise.withResolvers<AbortSignal>();
    const pause = async (signal: AbortSignal) => {
      started.resolve(signal);
      await sleep(60_000, undefined, { signal });
    };
    const { origin, decisions } = await build(t, { backend: createFakeChat({ pause }) });
    const outgoing = httpRequest(`${origin}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    outgoing.on('error', () => {});
    outgoing.end(JSON.stringify({ ...base, stream }));
    const signal = await started.promise;
    outgoing.destroy();
    if (!signal.aborted) await once(signal, 'abort');
    while (decisions().length === 0) await sleep(5);
    t.match(decisions(), [{ stream, decision: 'unknown', finishReason: null }]);
  }
});
