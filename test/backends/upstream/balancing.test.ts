import t, { type Test } from 'tap';
import { buildProxy, open, question } from '../../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, type FakeVllm, startFakeVllm } from '../../helpers/fake-vllm.ts';

async function start(t: Test, count: number) {
  const fakes: FakeVllm[] = [];
  for (let index = 0; index < count; index++) fakes.push(await startFakeVllm(t));
  return { fakes, proxy: await buildProxy(t, fakes) };
}

const counts = (fakes: readonly FakeVllm[]) => fakes.map(({ received }) => received.length);

t.test('the turns of a conversation go to one server, conversations to all', async (t) => {
  const { fakes, proxy } = await start(t, 3);
  const homes = new Set<number>();
  for (let talk = 0; talk < 40; talk++) {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: `Question ${talk}` },
    ];
    const before = counts(fakes);
    for (let turn = 0; turn < 2; turn++) {
      await proxy.post({ ...question, messages });
      messages.push({ role: 'assistant', content: 'Good day.' }, { role: 'user', content: `And ${turn}?` });
    }
    const grown = counts(fakes).map((count, index) => count - (before[index] ?? 0));
    t.strictSame(grown.toSorted(), [0, 0, 2]);
    homes.add(grown.indexOf(2));
  }
  t.equal(homes.size, 3);
});

t.test('many at once with the same beginning do not all go to one', async (t) => {
  const { fakes, proxy } = await start(t, 3);
  const before = counts(fakes);
  for (const fake of fakes) fake.script = (response) => void beginEvents(response).write(chunkEvent('x'));
  const clients = await Promise.all(
    Array.from({ length: 30 }, () => open(proxy.origin, { ...question, stream: true })),
  );
  await Promise.all(clients.map(({ answer }) => answer));
  await proxy.outstanding(30);
  const grown = counts(fakes).map((count, index) => count - (before[index] ?? 0));
  t.ok(
    grown.every((count) => count >= 6 && count <= 15),
    grown.join(),
  );
  for (const { destroy } of clients) destroy();
  await proxy.outstanding(0);
});
