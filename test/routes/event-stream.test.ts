import { connect } from 'node:net';
import { APIError } from 'openai';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import { buildTiny, modelName, postJson, until } from '../helpers/build.ts';

const endless = { model: modelName, messages: [{ role: 'user' as const, content: 'Hi' }], ignore_eos: true };

t.test('events as OpenAI and proxies expect them', async (t) => {
  const { origin } = await buildTiny(t);
  const response = await postJson(`${origin}/v1/chat/completions`, { ...endless, stream: true, max_tokens: 3 });
  t.equal(response.status, 200);
  t.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  t.equal(response.headers.get('cache-control'), 'no-cache');
  t.equal(response.headers.get('x-accel-buffering'), 'no');
  t.equal(response.headers.get('x-preamble-prompt'), 'none');
  t.match(response.headers.get('openai-processing-ms'), /^\d+$/);
  const events = (await response.text()).split('\n\n');
  t.equal(events.at(-1), '');
  t.equal(events.at(-2), 'data: [DONE]');
  const chunks = events.slice(0, -2).map((event) => JSON.parse(event.slice('data: '.length)));
  t.equal(new Set(chunks.map(({ id }) => id)).size, 1);
  t.match(chunks[0], { object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant', content: '' } }] });
  t.match(chunks.at(-1), { choices: [{ delta: {}, finish_reason: 'length' }] });
});

t.test('a fault after the first byte ends the stream with an error and without [DONE]', async (t) => {
  const { origin, client, engine, logs, decisions } = await buildTiny(t);
  const generate = engine.generate.bind(engine);
  engine.generate = async function* (request, signal) {
    let events = 0;
    for await (const event of generate(request, signal)) {
      if (events++ === 3) throw new PreambleError('internal', 'The engine failed', { cause: new Error('deep within') });
      yield event;
    }
  };
  const text = await (await postJson(`${origin}/v1/chat/completions`, { ...endless, stream: true })).text();
  const last = text.trim().split('\n\n').at(-1) ?? '';
  t.match(JSON.parse(last.slice('data: '.length)), { error: { type: 'server_error', code: 'internal' } });
  t.notMatch(text, /DONE|deep within|\.ts/);

  const error: unknown = await (async () => {
    for await (const _chunk of await client.chat.completions.create({ ...endless, stream: true }));
  })().catch((thrown) => thrown);
  t.ok(error instanceof APIError && error.code === 'internal', 'the client library raises it');
  t.match(decisions(), [{ decision: 'unknown', finishReason: null }, { decision: 'unknown' }]);
  t.equal(logs.filter(({ level }) => Number(level) >= 50).length, 2, 'logged once each');
});

t.test('a client that does not read holds nothing up for long, and is let go', async (t) => {
  const { origin, engine, logs } = await buildTiny(t, { limits: { stalledClientSeconds: 1 } });
  const { hostname, port } = new URL(origin);
  const body = JSON.stringify({ ...endless, stream: true, logprobs: true, top_logprobs: 20 });
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  socket.pause();
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: x', 'content-type: application/json'];
  socket.write([...head, `content-length: ${body.length}`, '', body].join('\r\n'));
  await until(() => engine.stats().running === 1);
  await until(() => engine.stats().running === 0);
  t.ok(logs.some(({ reason }) => reason === 'The client did not read for 1 seconds.'));
});
