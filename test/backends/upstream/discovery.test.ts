import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import t from 'tap';
import { buildProxy, question } from '../../helpers/build-proxy.ts';
import { startFakeVllm } from '../../helpers/fake-vllm.ts';

const health = { intervalSeconds: 1 };

t.test('the model is found, adapters and aliases have names of their own', async (t) => {
  const fake = await startFakeVllm(t, {
    models: [{ id: 'org/model' }, { id: 'poet', parent: 'org/model' }, { id: 'stray', parent: 'org/other' }],
  });
  const proxy = await buildProxy(t, [fake], { model: { aliases: ['gpt-4o'] }, backend: { health } });
  const client = new OpenAI({ baseURL: `${proxy.origin}/v1`, apiKey: 'none', maxRetries: 0 });
  const names = async () => (await client.models.list()).data.map(({ id }) => id);
  t.strictSame(await names(), ['chat', 'gpt-4o', 'poet']);
  t.match(await proxy.status(), { models: [{ name: 'chat', adapters: ['poet'] }] });
  for (const [asked, sent] of [
    ['chat', 'org/model'],
    ['gpt-4o', 'org/model'],
    ['poet', 'poet'],
  ]) {
    const answer = await proxy.post({ ...question, model: asked });
    t.equal(answer.status, 200, answer.text);
    const body = JSON.parse(String(fake.received.at(-1)?.body));
    t.equal(body.model, sent);
    t.equal(body.messages[0].content[0].type, 'prompt_embeds', 'with the prompt in front, whatever it is called');
  }
  for (const asked of ['org/model', 'stray', 'other']) {
    t.match(await proxy.post({ ...question, model: asked }), { status: 404, text: /model_not_found/ });
  }
  fake.options = { models: [{ id: 'org/model' }, { id: 'painter', parent: 'org/model' }] };
  while (!(await names()).includes('painter')) await sleep(20);
  t.strictSame(await names(), ['chat', 'gpt-4o', 'painter']);
});

t.test('several models without a word which one: told, and waited for', async (t) => {
  const fake = await startFakeVllm(t, { models: [{ id: 'a' }, { id: 'b' }] });
  const proxy = await buildProxy(t, [fake], { waits: false, backend: { health } });
  while (!proxy.logs.some(({ event }) => event === 'upstream.waiting')) await sleep(20);
  t.match(
    proxy.logs.find(({ event }) => event === 'upstream.waiting'),
    { problem: `${fake.origin} serves several models: a, b.` },
  );
  t.match(await proxy.post(question), { status: 503 });
  fake.options = {};
  while ((await fetch(`${proxy.origin}/readyz`)).status !== 200) await sleep(20);
});

t.test('the setting says which one', async (t) => {
  const fake = await startFakeVllm(t, { models: [{ id: 'a' }, { id: 'b' }] });
  const proxy = await buildProxy(t, [fake], { backend: { model: 'b', health } });
  t.match(await proxy.post(question), { status: 200 });
  t.match(JSON.parse(String(fake.received.at(-1)?.body)), { model: 'b' });
});

t.test('a server that hangs does not keep the gateway from starting with the others', async (t) => {
  const hanging = await startFakeVllm(t);
  hanging.modelsScript = () => {};
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [hanging, fake], { backend: { health: { ...health, failures: 1 } } });
  t.match(await proxy.post(question), { status: 200 });
});
