import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type BuiltProxy, buildProxy, type ProxySettings, question } from '../../helpers/build-proxy.ts';
import { type FakeVllm, sendJson, startFakeVllm } from '../../helpers/fake-vllm.ts';

const health = { intervalSeconds: 1, failures: 2, ejectSeconds: 1, slowStartSeconds: 3600 };

async function start(t: Test, count: number, settings: ProxySettings = {}) {
  const fakes: FakeVllm[] = [];
  for (let index = 0; index < count; index++) fakes.push(await startFakeVllm(t));
  const proxy = await buildProxy(t, fakes, { prompt: null, ...settings, backend: { health, ...settings.backend } });
  return { fakes, proxy };
}

const servers = async (proxy: BuiltProxy) => (await proxy.status()).models.flatMap((model) => model.servers);
const ready = async (proxy: BuiltProxy) => await fetch(`${proxy.origin}/readyz`);

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

t.test('a server whose requests fail gets no more, though it lists its models; it comes back slowly', async (t) => {
  const { fakes, proxy } = await start(t, 2);
  const [bad, good] = fakes;
  if (bad === undefined || good === undefined) return;
  bad.script = (response) => sendJson(response, 503, {});
  for (let index = 0; bad.received.length < 2; index++) {
    const messages = [{ role: 'user', content: `conversation ${index}` }];
    t.equal((await proxy.post({ ...question, messages })).status, 200);
  }
  t.match(
    (await servers(proxy)).find(({ url }) => url === bad.origin),
    { healthy: false, weight: 0, problem: 'It answers with status 503.' },
  );
  t.match(
    proxy.logs.find(({ event }) => event === 'upstream.ejected'),
    { url: bad.origin, model: 'chat' },
  );
  const before = bad.received.length;
  for (let index = 0; index < 10; index++) await proxy.post(question);
  t.equal(bad.received.length, before);
  t.equal((await ready(proxy)).status, 200, 'the other one answers');
  bad.script = null;
  await until(async () => (await servers(proxy)).every(({ healthy }) => healthy));
  const [weight = 0] = (await servers(proxy)).filter(({ url }) => url === bad.origin).map((server) => server.weight);
  t.ok(weight >= 0.1 && weight < 0.2, `${weight}`);
  t.ok(proxy.logs.some(({ event, url }) => event === 'upstream.returned' && url === bad.origin));
});

t.test('a server that is away is noticed without a request', async (t) => {
  const { fakes, proxy } = await start(t, 2);
  await fakes[0]?.stop();
  await until(async () => (await servers(proxy)).some(({ healthy }) => !healthy));
  t.equal((await ready(proxy)).status, 200);
  await fakes[0]?.start();
  await until(async () => (await servers(proxy)).every(({ healthy }) => healthy));
});

t.test('as many probes must fail in a row as the settings say', async (t) => {
  const { fakes, proxy } = await start(t, 2, { backend: { health: { ...health, failures: 3 } } });
  const [first] = fakes;
  if (first === undefined) return;
  let failed = 0;
  first.modelsScript = (response) => {
    failed++;
    sendJson(response, 500, {});
  };
  await until(async () => (await servers(proxy)).some(({ healthy }) => !healthy));
  t.equal(failed, 3);
});

t.test(
  'when all are away /readyz says so, requests are still tried, and are answered as soon as one is back',
  async (t) => {
    const { fakes, proxy } = await start(t, 2);
    for (const fake of fakes) await fake.stop();
    await until(async () => (await servers(proxy)).every(({ healthy }) => !healthy));
    const answer = await ready(proxy);
    t.equal(answer.status, 503);
    t.match(await answer.json(), { status: 'not ready', reason: /chat: The model server cannot be reached/ });
    t.match(await proxy.post(question), { status: 502 });
    await fakes[1]?.start();
    t.match(await proxy.post(question), { status: 200 }, 'before any probe has seen it');
    await until(async () => (await ready(proxy)).status === 200);
  },
);

t.test('a replica that begins to serve another model gets no requests', async (t) => {
  const { fakes, proxy } = await start(t, 2);
  const [changed] = fakes;
  if (changed === undefined) return;
  changed.options = { models: [{ id: 'org/other' }] };
  await until(async () => (await servers(proxy)).some(({ healthy }) => !healthy));
  t.match(
    (await servers(proxy)).find(({ healthy }) => !healthy),
    { url: changed.origin, problem: /does not serve org\/model\. It serves: org\/other/ },
  );
});

t.test('a gateway that starts before its servers waits for them', async (t) => {
  const fake = await startFakeVllm(t);
  await fake.stop();
  const proxy = await buildProxy(t, [fake], { waits: false, backend: { health } });
  t.equal((await ready(proxy)).status, 503);
  const answer = await proxy.post(question);
  t.equal(answer.status, 503);
  t.match(answer.json(), { error: { code: 'not_ready' } });
  t.equal(answer.headers.get('x-should-retry'), 'true');
  // It lists its models before it can answer.
  fake.script = (response) => sendJson(response, 503, {});
  await fake.start();
  await until(async () => fake.received.length >= 2);
  t.equal((await ready(proxy)).status, 503);
  fake.script = null;
  await until(async () => (await ready(proxy)).status === 200);
  t.match(await proxy.post(question), { status: 200 });
});
