import type { Test } from 'tap';
import t from 'tap';
import { buildProxy, model, question } from '../../helpers/build-proxy.ts';
import { startFakeGraftedVllm, startFakeLlamaCpp, startFakeSglang } from '../../helpers/fake-openai.ts';
import { startFakeTgi } from '../../helpers/fake-tgi.ts';
import type { FakeVllm } from '../../helpers/fake-vllm.ts';

/** The first and last rows of three. */
const spelled = /^<\|p[0-9a-f]{6}\.000\|><\|p[0-9a-f]{6}\.001\|><\|p[0-9a-f]{6}\.002\|>/;
const virtual = /<\|p[0-9a-f]+\.\d+\|>/g;

interface Kind {
  name: string;
  start(t: Test): Promise<FakeVllm>;
  backend: object;
  served: string;
}
const kinds: Kind[] = [
  { name: 'vllm', start: startFakeGraftedVllm, backend: { kind: 'vllm', wire: 'virtual-tokens' }, served: 'org/model' },
  { name: 'tgi', start: startFakeTgi, backend: { kind: 'tgi' }, served: 'tgi' },
  { name: 'llamacpp', start: startFakeLlamaCpp, backend: { kind: 'llamacpp' }, served: 'model.gguf' },
  { name: 'sglang', start: startFakeSglang, backend: { kind: 'sglang' }, served: 'grafted' },
];
const lastBody = (fake: FakeVllm) => JSON.parse(String(fake.received.at(-1)?.body));

for (const { name, start, backend, served } of kinds) {
  t.test(name, async (t) => {
    const fake = await start(t);
    const proxy = await buildProxy(t, [fake], { graft: 'own', backend });

    const answer = await proxy.post({ ...question, seed: 7, user: 'x' });
    t.equal(answer.status, 200, answer.text);
    const body = lastBody(fake);
    t.equal(body.model, served);
    t.match(body.messages, [{ role: 'system', content: spelled }, question.messages[0]]);
    t.match(body, { seed: 7, user: 'x' }, 'other fields stay');
    t.match(proxy.decisions().at(-1), {
      backend: name,
      decision: 'complied',
      prompt: { name: 'test/kind', version: '1.0.0' },
      finishReason: 'stop',
      completionTokens: 3,
    });

    const system = { role: 'system', content: 'Be brief.' };
    await proxy.post({ model, messages: [system, ...question.messages] });
    t.match(lastBody(fake).messages[0].content, /\|>\nBe brief\.$/);

    const stream = await proxy.post({ ...question, stream: true });
    t.match(stream.text, /Good/);
    t.match(stream.text, /data: \[DONE\]\n\n$/);
    t.notMatch(stream.text, /"usage":\{/, 'counts that only the gateway asked for stay with it');
    t.match(proxy.decisions().at(-1), { stream: true, decision: 'complied', completionTokens: 3 });

    const raw = await proxy.post({ model, prompt: 'Once' }, { path: '/v1/completions' });
    t.equal(raw.status, 200, raw.text);
    t.match(lastBody(fake).prompt, spelled);
    t.match(lastBody(fake).prompt, /\|>Once$/);
    const echoed = await proxy.post({ model, prompt: 'Once', echo: true }, { path: '/v1/completions' });
    t.match(echoed, { status: 400, text: /echo/ });

    const [token = ''] = body.messages[0].content.match(virtual) ?? [];
    const before = fake.received.length;
    const smuggled = await proxy.post({ model, messages: [{ role: 'user', content: `a ${token} b` }] });
    t.equal(smuggled.status, 200, smuggled.text);
    t.equal(String(fake.received.at(-1)?.body).match(virtual)?.length, 3, 'the prompt’s own alone');
    for (const refused of [
      { ...question, logit_bias: { 49152: 100 } },
      { ...question, chat_template: '{{ messages }}' },
      { ...question, temperature: 1000 },
      { ...question, guided_choice: [token] },
    ]) {
      t.equal((await proxy.post(refused)).status, 400, JSON.stringify(refused).slice(-60));
    }
    t.match(await proxy.post({ model, prompt: [49152] }, { path: '/v1/completions' }), { status: 400 });
    t.equal(fake.received.length, before + 1);
    await proxy.outstanding(0);
  });
}

t.test('in the first user message where the prompt belongs there', async (t) => {
  const fake = await startFakeSglang(t);
  const proxy = await buildProxy(t, [fake], { graft: 'own', position: 'user', backend: { kind: 'sglang' } });
  await proxy.post(question);
  t.match(lastBody(fake).messages, [{ role: 'user', content: /\|>\nHi$/ }]);
});

t.test('llama.cpp is told never to choose a virtual token, the others where the setting says so', async (t) => {
  const llamacpp = await startFakeLlamaCpp(t);
  const first = await buildProxy(t, [llamacpp], { graft: 'own', backend: { kind: 'llamacpp' } });
  await first.post({ ...question, logit_bias: { 5: 1 } });
  t.strictSame(lastBody(llamacpp).logit_bias, { 49152: false, 49153: false, 49154: false, 5: 1 });
  const sglang = await startFakeSglang(t);
  const second = await buildProxy(t, [sglang], { graft: 'own', backend: { kind: 'sglang', banVirtualTokens: true } });
  await second.post(question);
  t.strictSame(lastBody(sglang).logit_bias, { 49152: -100, 49153: -100, 49154: -100 });
});

t.test('a graft without the prompt: the start fails, and says what is there and what to do', async (t) => {
  const fake = await startFakeSglang(t);
  await t.rejects(buildProxy(t, [fake], { graft: 'other', backend: { kind: 'sglang' } }), {
    code: 'prompt_mismatch',
    message: /test\/kind@1\.0\.0 is not in .*preamble-graft\.json\. There: test\/other@1\.0\.0\./,
    action: /preamble graft --model DIR --prompt test\/kind@1\.0\.0 --prompt test\/other@1\.0\.0 --out DIR/,
  });
});

t.test('a server that serves no graft: the start fails', async (t) => {
  const fake = await startFakeSglang(t, { ungrafted: true });
  await t.rejects(buildProxy(t, [fake], { graft: 'own', backend: { kind: 'sglang' } }), {
    code: 'prompt_mismatch',
    message: '3 virtual tokens count as 30: the server does not serve this graft.',
  });
});

t.test('settings that lack the graft, or have one for nothing, are refused with the place', async (t) => {
  const fake = await startFakeSglang(t);
  await t.rejects(buildProxy(t, [fake], { backend: { kind: 'sglang' } }), {
    code: 'config_invalid',
    message: /models\.chat\.backend: these servers know the prompt test\/kind as virtual tokens only/,
  });
  await t.rejects(buildProxy(t, [fake], { graft: 'own', backend: { kind: 'vllm' } }), {
    code: 'config_invalid',
    message: /models\.chat\.backend\.graft: the chat wire sends embeddings/,
  });
});

t.test('what belongs to SGLang and to llama.cpp, and would go round the prompt, is refused', async (t) => {
  const sglang = await startFakeSglang(t);
  const first = await buildProxy(t, [sglang], { graft: 'own', backend: { kind: 'sglang' } });
  for (const field of ['input_ids', 'custom_logit_processor', 'session_params', 'lora_path']) {
    t.match(await first.post({ ...question, [field]: [1] }), { status: 400, text: new RegExp(field) });
  }
  const llamacpp = await startFakeLlamaCpp(t);
  const second = await buildProxy(t, [llamacpp], { graft: 'own', backend: { kind: 'llamacpp' } });
  for (const [field, value] of Object.entries({ id_slot: 3, xtc_probability: 1, n_keep: 0, prompt: 'x' })) {
    t.match(await second.post({ ...question, [field]: value }), { status: 400, text: new RegExp(field) });
  }
  const begun = { model, messages: [...question.messages, { role: 'assistant', content: 'Sure,' }] };
  t.match(await second.post(begun), { status: 400, text: /may not be the assistant's/ });
});

t.test('a llama.cpp that still reads its model is waited for', async (t) => {
  const fake = await startFakeLlamaCpp(t, { loading: true });
  const proxy = await buildProxy(t, [fake], {
    graft: 'own',
    waits: false,
    backend: { kind: 'llamacpp', health: { intervalSeconds: 1 } },
  });
  while (!proxy.logs.some(({ event }) => event === 'upstream.waiting'))
    await new Promise((done) => setTimeout(done, 20));
  t.match(await proxy.post(question), { status: 503 });
  fake.openai = {};
  while ((await fetch(`${proxy.origin}/readyz`)).status !== 200) await new Promise((done) => setTimeout(done, 20));
  t.match(await proxy.post(question), { status: 200 });
});
