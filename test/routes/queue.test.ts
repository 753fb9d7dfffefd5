import { APIError, OpenAI, RateLimitError } from 'openai';
import t from 'tap';
import { buildTiny, modelName, postJson, until } from '../helpers/build.ts';

const messages = [{ role: 'user' as const, content: 'Hi' }];
const endless = { model: modelName, messages, stream: true as const, ignore_eos: true };
const short = { model: modelName, messages, max_tokens: 2, ignore_eos: true };

t.test('who comes when the queue is full is told when to come again', async (t) => {
  const { origin, client, engine, decisions } = await buildTiny(t);
  const running = await client.chat.completions.create(endless);
  const waiting = client.chat.completions.create(short);
  await until(() => engine.stats().waiting === 1);

  const response = await postJson(`${origin}/v1/chat/completions`, short);
  t.equal(response.status, 429);
  t.match(response.headers.get('retry-after'), /^[1-9]\d*$/);
  t.equal(response.headers.get('x-should-retry'), 'true');
  t.match(await response.json(), {
    error: { message: /waiting already.*Try again later/, type: 'rate_limit_error', code: 'queue_full', param: null },
  });
  const stream = await postJson(`${origin}/v1/completions`, { ...endless, prompt: 'Hi' });
  t.equal(stream.status, 429, 'a stream is turned away by its status, before it begins');
  await stream.text();

  const error: unknown = await client.chat.completions.create(short).catch((thrown) => thrown);
  t.ok(error instanceof RateLimitError && error.code === 'queue_full' && error.requestID);
  t.equal(decisions().length, 0, 'what was turned away has no decision');

  const patient = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'none', maxRetries: 5 });
  const later = patient.chat.completions.create(short);
  // Its first try is refused as those above; the slot is free when it tries again.
  running.controller.abort();
  t.equal((await waiting).usage?.completion_tokens, 2, 'who waited is answered first');
  t.equal((await later).usage?.completion_tokens, 2);
  t.strictSame(engine.stats(), { running: 0, waiting: 0, slots: 1 });
});

t.test(
  'the choices of one request wait like requests of their own, and more than can ever wait are refused',
  async (t) => {
    const { client, engine } = await buildTiny(t, { engineOptions: { slots: 1, queue: 3 } });
    const answer = await client.chat.completions.create({ ...short, n: 4 });
    t.equal(answer.choices.length, 4);
    const error: unknown = await client.chat.completions.create({ ...short, n: 5 }).catch((thrown) => thrown);
    t.ok(error instanceof APIError && error.status === 400 && error.param === 'n');
    t.strictSame(engine.stats(), { running: 0, waiting: 0, slots: 1 });
  },
);
