import t from 'tap';
import { buildProxy, question } from '../../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, doneEvent, lastChunk, startFakeVllm } from '../../helpers/fake-vllm.ts';

/** No probe comes in between, on whose connection a request could go. */
const health = { intervalSeconds: 3600 };
const endings = {
  'a reset': 'resetAndDestroy',
  'an end': 'destroy',
} as const;

for (const [name, end] of Object.entries(endings)) {
  t.test(`one server: ${name} on a connection that had served before is tried again, once, on a new one`, async (t) => {
    const fake = await startFakeVllm(t);
    const proxy = await buildProxy(t, [fake], { prompt: null, backend: { health } });
    t.equal((await proxy.post(question)).status, 200, 'the connection has served');
    const ports: (number | undefined)[] = [];
    fake.script = (response) => {
      ports.push(response.socket?.remotePort);
      fake.script = null;
      response.socket?.[end]();
    };
    const answer = await proxy.post(question);
    t.equal(answer.status, 200, answer.text);
    t.equal(fake.received.length, 3);
    t.match(await proxy.status(), { models: [{ servers: [{ healthy: true, outstanding: 0 }] }] });

    await proxy.post(question);
    fake.script = (response) => {
      ports.push(response.socket?.remotePort);
      response.socket?.[end]();
    };
    t.equal((await proxy.post(question)).status, 502);
    t.equal(new Set(ports).size, 3);
    t.equal(ports.length, 3, 'and no third time');
  });
}

t.test('a stream is tried again too, and read to its end on the new connection', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  await proxy.post(question);
  fake.script = (response) => {
    fake.script = async (again) => {
      beginEvents(again).write(chunkEvent('Good'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      again.end(lastChunk + doneEvent);
    };
    response.socket?.resetAndDestroy();
  };
  t.equal((await proxy.post({ ...question, stream: true })).text, chunkEvent('Good') + lastChunk + doneEvent);
  await proxy.outstanding(0);
});

t.test('one that had a byte of an answer is not', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null });
  await proxy.post(question);
  for (const bytes of ['H', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{']) {
    fake.script = (response) => void response.socket?.write(bytes, () => response.socket?.destroy());
    const before = fake.received.length;
    t.equal((await proxy.post(question)).status, 502);
    t.equal(fake.received.length, before + 1);
    fake.script = null;
    await proxy.post(question);
  }
});

t.test('a new connection that breaks is not: it was closed for what was asked', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake], { prompt: null, backend: { health } });
  fake.script = (response) => response.socket?.destroy();
  // The first breaks on a connection that had been asked for models, and a second time on a new one; the second on a new one only.
  await proxy.post(question);
  const before = fake.received.length;
  t.equal((await proxy.post(question)).status, 502);
  t.equal(fake.received.length, before + 1);
});
