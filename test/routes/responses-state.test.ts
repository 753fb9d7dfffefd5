import { createHash } from 'node:crypto';
import t from 'tap';
import type { ResponseStore } from '../../src/openai/responses/store.ts';
import { everyone, type TenantPolicy } from '../../src/policy/snapshot.ts';
import { build, modelName } from '../helpers/build.ts';
import { createFakeChat } from '../helpers/fake-chat.ts';
import { createMemoryResponseStore } from '../helpers/memory-response-store.ts';

const base = { model: modelName, input: 'Hello' };

t.test('an answer is kept, shown, gone on from and removed', async (t) => {
  const backend = createFakeChat();
  const responses = createMemoryResponseStore();
  const { client } = await build(t, { backend, responses });
  const messages = () => backend.calls.at(-1)?.request.messages;

  const first = await client.responses.create({ ...base, instructions: 'Be brief.', metadata: { a: 'b' } });
  t.match(first, { store: true });
  const shown = await client.responses.retrieve(first.id);
  t.strictSame({ ...shown }, { ...first });

  const follow = { ...base, input: 'And now?', previous_response_id: first.id };
  const second = await client.responses.stream({ ...follow, instructions: 'Be long.' }).finalResponse();
  t.match(second, { store: true, previous_response_id: first.id, output_text: 'You said: And now?' });
  t.strictSame(messages(), [
    { role: 'system', content: 'Be long.' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'You said: Hello' },
    { role: 'user', content: 'And now?' },
  ]);

  await client.responses.delete(first.id);
  await t.rejects(client.responses.retrieve(first.id), { status: 404, message: /no response with this id/ });
  await t.rejects(client.responses.delete(first.id), { status: 404, message: /no response with this id/ });
  await t.rejects(client.responses.create(follow), { status: 400, message: /no previous response/ });

  await client.responses.create({ ...base, previous_response_id: second.id });
  t.equal(messages()?.length, 5, 'what follows on a removed one is whole, and has no instructions of before');
  t.not(messages()?.[0]?.role, 'system');
});

t.test("nobody reads, goes on from or removes another tenant's answers", async (t) => {
  const tenants = new Map<string, TenantPolicy>();
  for (const id of ['a', 'b']) {
    tenants.set(createHash('sha256').update(`key-${id}`).digest('hex'), { ...everyone, id });
  }
  const responses = createMemoryResponseStore();
  const { client } = await build(t, { backend: createFakeChat(), responses, tenants });
  const [a, b] = [client.withOptions({ apiKey: 'key-a' }), client.withOptions({ apiKey: 'key-b' })];
  const { id, output } = await a.responses.create(base);
  await t.rejects(b.responses.retrieve(id), { status: 404, message: /no response with this id/ });
  await t.rejects(b.responses.delete(id), { status: 404, message: /no response with this id/ });
  await t.rejects(b.responses.create({ ...base, previous_response_id: id }), { message: /no previous response/ });
  const reference = { type: 'item_reference' as const, id: String(output[0]?.id) };
  await t.rejects(b.responses.create({ ...base, input: [reference] }), { message: /no item with this id/ });
  await t.rejects(client.responses.retrieve(id), { status: 401, message: /API key/ });
  t.equal((await a.responses.retrieve(id)).id, id);
  t.equal((await a.responses.create({ ...base, input: [reference] })).output_text, 'You said: You said: Hello');
});

t.test('what is not to be kept is not', async (t) => {
  const responses = createMemoryResponseStore();
  const { client } = await build(t, { backend: createFakeChat(), responses });
  const whole = await client.responses.create({ ...base, store: false });
  const streamed = await client.responses.stream({ ...base, store: false }).finalResponse();
  t.match([whole, streamed], [{ store: false }, { store: false }]);
  t.equal(responses.kept.size, 0);
  await t.rejects(client.responses.retrieve(whole.id), { status: 404, message: /no response with this id/ });
  await t.rejects(client.responses.retrieve('resp_x/../y'), { status: 404, message: /no response with this id/ });
});

t.test('an answer that broke off is not kept', async (t) => {
  const responses = createMemoryResponseStore();
  const { client } = await build(t, { backend: createFakeChat({ relayed: true, lastWords: '' }), responses });
  await t.rejects(client.responses.stream(base).finalResponse(), /broke off|had an error/);
  t.equal(responses.kept.size, 0);
});

t.test('a store that fails costs the memory, not the answer', async (t) => {
  const broken: ResponseStore = {
    ...createMemoryResponseStore(),
    save: async () => {
      throw new Error('connection refused');
    },
  };
  const { client, logs } = await build(t, { backend: createFakeChat(), responses: broken });
  t.match(await client.responses.create(base), { store: false, output_text: 'You said: Hello' });
  const streamed = await client.responses.stream(base).finalResponse();
  t.match(streamed, { store: false, status: 'completed', output_text: 'You said: Hello' });
  t.equal(logs.filter((line) => line['msg'] === 'request failed').length, 2);
});

t.test('an answer that is kept is not streamed again', async (t) => {
  const { client } = await build(t, { backend: createFakeChat(), responses: createMemoryResponseStore() });
  const { id } = await client.responses.create(base);
  await t.rejects(client.responses.retrieve(id, { stream: true }), { status: 400, message: /not streamed again/ });
});
