import type { ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { buildProxy, open, question } from '../../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, type FakeVllm, sendJson, startFakeVllm } from '../../helpers/fake-vllm.ts';

const stream = { ...question, stream: true };

async function start(t: Test, backend: object = {}, count = 3) {
  const fakes: FakeVllm[] = [];
  for (let index = 0; index < count; index++) fakes.push(await startFakeVllm(t));
  const proxy = await buildProxy(t, fakes, { prompt: null, backend });
  const asked = () => fakes.map(({ received }) => received.length);
  const total = () => asked().reduce((sum, count) => sum + count, 0);
  return { fakes, proxy, asked, total };
}

/** From now on the first of them that is asked answers so, and all others well. */
function firstAnswers(fakes: readonly FakeVllm[], script: (response: ServerResponse) => void): void {
  for (const fake of fakes) {
    fake.script = (response) => {
      for (const each of fakes) each.script = null;
      script(response);
    };
  }
}

const away: [name: string, script: (response: ServerResponse) => void][] = [
  ['a reset before the first byte', (response) => response.socket?.resetAndDestroy()],
  ['an end before the first byte', (response) => response.socket?.destroy()],
  ['503', (response) => sendJson(response, 503, { error: 'starting' })],
  ['502', (response) => sendJson(response, 502, {})],
];
for (const [name, script] of away) {
  t.test(`${name}: another server is asked, once`, async (t) => {
    const { fakes, proxy, asked, total } = await start(t);
    for (const body of [question, stream]) {
      const before = total();
      firstAnswers(fakes, script);
      const answer = await proxy.post(body);
      t.equal(answer.status, 200, answer.text);
      t.equal(total() - before, 2);
      t.ok(asked().every((count) => count <= 2));
    }
  });
}

t.test('the one that refuses connections is passed over', async (t) => {
  const { fakes, proxy } = await start(t, {}, 2);
  await fakes[0]?.stop();
  for (let count = 0; count < 10; count++) t.equal((await proxy.post(question)).status, 200);
  t.equal(fakes[1]?.received.length, 10);
  t.match(await proxy.status(), { models: [{ problem: null, servers: [{ outstanding: 0 }, { outstanding: 0 }] }] });
});

t.test('when the second is away too, the client is told', async (t) => {
  const { fakes, proxy, asked, total } = await start(t);
  for (const fake of fakes) fake.script = (response) => sendJson(response, 503, { error: { message: 'No.' } });
  const answer = await proxy.post(question);
  t.equal(answer.status, 503);
  t.match(answer.json(), { error: { message: 'No.' } });
  t.equal(total(), 2, 'one retry and no more');
  t.ok(
    asked().every((count) => count <= 1),
    'never the same twice',
  );
});

t.test('as often as the settings say', async (t) => {
  for (const [retries, expected] of [
    [0, 1],
    [2, 3],
    [5, 3],
  ] as const) {
    const { fakes, proxy, asked, total } = await start(t, { retries });
    for (const fake of fakes) fake.script = (response) => response.socket?.resetAndDestroy();
    t.match(await proxy.post(question), { status: 502 });
    t.equal(total(), expected);
    t.ok(asked().every((count) => count <= 1));
  }
});

const final: [name: string, script: (response: ServerResponse) => void, status: number][] = [
  ['400', (response) => sendJson(response, 400, { error: { message: 'No.' } }), 400],
  ['429', (response) => sendJson(response, 429, { error: { message: 'No.' } }), 429],
  ['500, which a request could provoke', (response) => sendJson(response, 500, {}), 500],
  ['504, a time-out', (response) => sendJson(response, 504, {}), 504],
  ['a time-out', () => {}, 504],
  [
    'an answer that breaks off',
    (response) => void beginEvents(response).write(chunkEvent('I'), () => response.destroy()),
    200,
  ],
];
for (const [name, script, status] of final) {
  t.test(`${name}: no other is asked`, async (t) => {
    const { fakes, proxy, total } = await start(t, { timeouts: { firstByteSeconds: 1 } });
    firstAnswers(fakes, script);
    t.equal((await proxy.post(stream)).status, status);
    t.equal(total(), 1);
  });
}

t.test('when the client is gone no other is asked', async (t) => {
  const { fakes, proxy, total } = await start(t);
  const gone = Promise.withResolvers<void>();
  firstAnswers(fakes, (response) => void gone.promise.then(() => response.socket?.resetAndDestroy()));
  const { destroy } = await open(proxy.origin, question);
  await proxy.outstanding(1);
  destroy();
  await proxy.outstanding(0);
  gone.resolve();
  t.equal((await proxy.post(question)).status, 200);
  t.equal(total(), 2, 'the one that was broken off, and this one');
});
