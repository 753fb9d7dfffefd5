import t from 'tap';
import { buildProxy, nextText, open, question } from '../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, startFakeVllm } from '../helpers/fake-vllm.ts';

const stream = { ...question, stream: true };

for (const wire of ['stream', 'whole'] as const) {
  t.test(`a client that goes before the answer begins ends the request to the server: ${wire}`, async (t) => {
    const fake = await startFakeVllm(t);
    const proxy = await buildProxy(t, [fake]);
    fake.script = () => {};
    const coming = fake.next();
    const { destroy } = await open(proxy.origin, { ...question, stream: wire === 'stream' });
    const { aborted } = await coming;
    await proxy.outstanding(1);
    destroy();
    await aborted;
    await proxy.outstanding(0);
    t.match(proxy.decisions(), [{ decision: 'unknown', finishReason: null }]);
    t.match(await proxy.status(), { models: [{ servers: [{ healthy: true }] }] });
  });
}

t.test('in the middle of a stream', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  fake.script = (response) => void beginEvents(response).write(chunkEvent('I will'));
  const coming = fake.next();
  const { answer, destroy } = await open(proxy.origin, stream);
  const { aborted } = await coming;
  t.equal(await nextText(await answer), chunkEvent('I will'));
  destroy();
  await aborted;
  await proxy.outstanding(0);
  t.match(proxy.decisions(), [{ decision: 'unknown', finishReason: null, stream: true }]);
});

t.test('in the middle of a whole answer', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  fake.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"choices":');
  };
  const coming = fake.next();
  const { destroy } = await open(proxy.origin, question);
  const { aborted } = await coming;
  destroy();
  await aborted;
  await proxy.outstanding(0);
  t.equal(proxy.decisions().length, 1);
});

t.test('a hundred that come and go leave nothing behind', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  fake.script = (response) => void beginEvents(response).write(chunkEvent('I will'));
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(Array.from({ length: 10 }, () => open(proxy.origin, stream)));
    await Promise.all(clients.map(async ({ answer }) => await answer));
    for (const { destroy } of clients) destroy();
  }
  await proxy.outstanding(0);
  t.equal(proxy.decisions().length, 100);
  t.match(await proxy.status(), { models: [{ servers: [{ healthy: true, problem: null }] }] });
});
