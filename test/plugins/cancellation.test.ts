import t from 'tap';
import { buildTiny, modelName, postJson, until } from '../helpers/build.ts';

const messages = [{ role: 'user' as const, content: 'Hi' }];
const endless = { model: modelName, messages, ignore_eos: true };
const short = { model: modelName, messages, max_tokens: 2, ignore_eos: true };

t.test('a client that goes away in mid-stream frees its slot for who waits', async (t) => {
  const { client, engine, decisions, logs } = await buildTiny(t);
  const stream = await client.chat.completions.create({ ...endless, stream: true });
  const waiting = client.chat.completions.create(short);
  await until(() => engine.stats().waiting === 1);
  for await (const _chunk of stream) break;
  t.equal((await waiting).usage?.completion_tokens, 2);
  t.strictSame(engine.stats(), { running: 0, waiting: 0, slots: 1 });
  await until(() => decisions().length === 2);
  t.match(decisions(), [{ decision: 'unknown', finishReason: null, stream: true }, { finishReason: 'length' }]);
  t.notOk(
    logs.some(({ level }) => Number(level) >= 50),
    'that is no fault of ours',
  );
});

t.test('the engine is told at once: not one token is written for a client that is gone', async (t) => {
  const { client, engine } = await buildTiny(t);
  let afterwards = 0;
  const generate = engine.generate.bind(engine);
  engine.generate = async function* (request, signal) {
    for await (const event of generate(request, signal)) {
      if (signal.aborted) afterwards++;
      yield event;
    }
  };
  const stream = await client.chat.completions.create({ ...endless, stream: true });
  for await (const _chunk of stream) break;
  await until(() => engine.stats().running === 0);
  t.equal(afterwards, 0);
});

t.test('so do all choices of a request, an answer that is not streamed, and one that only waits', async (t) => {
  const { client, engine } = await buildTiny(t, { engineOptions: { slots: 2, queue: 2 } });
  const stream = await client.chat.completions.create({ ...endless, n: 3, stream: true });
  for await (const _chunk of stream) break;
  await until(() => engine.stats().running === 0 && engine.stats().waiting === 0);

  const whole = new AbortController();
  const given = client.chat.completions.create({ ...endless, n: 2 }, { signal: whole.signal });
  await until(() => engine.stats().running === 2);
  const queued = new AbortController();
  const behind = client.chat.completions.create(short, { signal: queued.signal });
  await until(() => engine.stats().waiting === 1);
  queued.abort();
  await t.rejects(behind);
  await until(() => engine.stats().waiting === 0);
  t.equal(engine.stats().running, 2);
  whole.abort();
  await t.rejects(given);
  await until(() => engine.stats().running === 0);
  t.equal((await client.chat.completions.create(short)).usage?.completion_tokens, 2);
});

t.test('an answer that takes longer than requestSeconds ends with an error', async (t) => {
  const { origin, engine, decisions } = await buildTiny(t, { limits: { requestSeconds: 1 } });
  const url = `${origin}/v1/chat/completions`;
  const whole = await postJson(url, endless);
  t.equal(whole.status, 504);
  t.match(await whole.json(), { error: { code: 'timed_out', message: /longer than 1 seconds.*fewer tokens/ } });
  // A status, where so slow a machine has not begun to stream by then.
  const events = (await (await postJson(url, { ...endless, stream: true })).text()).trim().split('\n\n');
  t.match(JSON.parse(events.at(-1)?.replace(/^data: /, '') ?? ''), {
    error: { code: 'timed_out', type: 'server_error' },
  });
  t.strictSame(engine.stats(), { running: 0, waiting: 0, slots: 1 });
  t.match(decisions(), [{ decision: 'unknown' }, { decision: 'unknown' }]);
});
