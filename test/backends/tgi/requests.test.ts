import { OpenAI } from 'openai';
import type { Test } from 'tap';
import t from 'tap';
import { buildProxy, model, question } from '../../helpers/build-proxy.ts';
import { type FakeTgi, type FakeTgiOptions, startFakeTgi } from '../../helpers/fake-tgi.ts';

const backend = { kind: 'tgi' };
const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: {} } }];
const lastBody = (fake: FakeTgi) => JSON.parse(String(fake.received.at(-1)?.body));

async function build(t: Test, options: FakeTgiOptions = {}) {
  const fake = await startFakeTgi(t);
  const proxy = await buildProxy(t, [fake], { graft: 'own', backend });
  fake.tgi = options;
  const client = new OpenAI({ baseURL: `${proxy.origin}/v1`, apiKey: 'none', maxRetries: 0 });
  return { fake, proxy, client };
}

t.test('what TGI calls otherwise is said in its words: it refuses what its schema does not have', async (t) => {
  const { fake, proxy } = await build(t);
  const answer = await proxy.post({ ...question, stop: 'END', max_completion_tokens: 5, logit_bias: {} });
  t.equal(answer.status, 200, answer.text);
  t.match(lastBody(fake), { stop: ['END'], max_tokens: 5, logit_bias: null });
  await proxy.post({ ...question, max_tokens: 9, max_completion_tokens: 5 });
  t.equal(lastBody(fake).max_tokens, 5);
  await proxy.post({ ...question, stop: ['a', 'b'], max_tokens: 9 });
  t.match(lastBody(fake), { stop: ['a', 'b'], max_tokens: 9 });
  const developer = { model, messages: [{ role: 'developer', content: 'Be brief.' }, ...question.messages] };
  await proxy.post(developer);
  t.equal(lastBody(fake).messages[0].role, 'system');
});

t.test('what it would drop without a word is refused', async (t) => {
  const { fake, proxy } = await build(t);
  const before = fake.received.length;
  for (const [field, value] of Object.entries({ n: 2, logit_bias: { 5: 1 } })) {
    t.match(await proxy.post({ ...question, [field]: value }), { status: 400, text: /TGI would ignore it/ });
  }
  for (const [field, value] of Object.entries({ best_of: 3, logprobs: 2, n: 2 })) {
    const answer = await proxy.post({ model, prompt: 'x', [field]: value }, { path: '/v1/completions' });
    t.match(answer, { status: 400, text: /TGI would ignore it/ }, field);
  }
  t.match(await proxy.post({ model, prompt: [1, 2] }, { path: '/v1/completions' }), {
    status: 400,
    text: /no token ids/,
  });
  const begun = { model, messages: [...question.messages, { role: 'assistant', content: 'Sure,' }] };
  t.match(await proxy.post(begun), { status: 400, text: /may not be the assistant's/ });
  t.equal(fake.received.length, before);
  t.match(await proxy.post({ ...question, n: 1 }), { status: 200 });
});

t.test('how a choice ended is told in OpenAI’s words', async (t) => {
  for (const [said, heard] of [
    ['eos_token', 'stop'],
    ['stop_sequence', 'stop'],
    ['length', 'length'],
  ] as const) {
    const { proxy, client } = await build(t, { finishReason: said });
    const whole = await client.chat.completions.create({ model, messages: question.messages });
    t.equal(whole.choices[0]?.finish_reason, heard);
    const reasons: unknown[] = [];
    for await (const chunk of await client.completions.create({ model, prompt: 'x', stream: true })) {
      reasons.push(chunk.choices[0]?.finish_reason);
    }
    t.strictSame(reasons, [null, null, heard], 'and that it has not ended with null');
    t.match(proxy.decisions().at(-1), { finishReason: heard, decision: 'complied' });
  }
});

t.test('a tool call has its list, and its arguments as text', async (t) => {
  const { proxy, client } = await build(t, { callsTool: true });
  const whole = await client.chat.completions.create({ model, messages: question.messages, tools });
  const [call] = whole.choices[0]?.message.tool_calls ?? [];
  t.match(call, { type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } });
  let args = '';
  for await (const chunk of await client.chat.completions.create({
    model,
    messages: question.messages,
    tools,
    stream: true,
  })) {
    args += chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '';
  }
  t.equal(args, '{"city":"Paris"}');
  t.equal(proxy.decisions().length, 2);
  for (const decision of proxy.decisions()) t.match(decision, { decision: 'complied' });
});

t.test('its errors come in OpenAI’s shape, with its status and its word for them', async (t) => {
  const faults = [
    [{ status: 422, error: 'Input validation error: too long', error_type: 'validation' }, 'invalid_request_error'],
    [{ status: 429, error: 'Model is overloaded', error_type: 'overloaded' }, 'rate_limit_error'],
    [{ status: 424, error: 'Request failed during generation', error_type: 'generation' }, 'server_error'],
  ] as const;
  for (const [fault, type] of faults) {
    const { proxy } = await build(t, { fault });
    const answer = await proxy.post(question);
    t.equal(answer.status, fault.status);
    t.strictSame(answer.json(), { error: { message: fault.error, type, param: null, code: fault.error_type } });
  }
});

t.test('an error in the middle of a stream is an error event, and no decision', async (t) => {
  const fault = { status: 424, error: 'Request failed during generation', error_type: 'generation' };
  const { proxy, client } = await build(t, { fault });
  const read = async () => {
    for await (const _ of await client.chat.completions.create({ model, messages: question.messages, stream: true }));
  };
  await t.rejects(read(), { message: /Request failed during generation/ });
  t.match(proxy.decisions().at(-1), { decision: 'unknown', finishReason: null });
});

t.test('a template’s own words for tools are text before the model too', async (t) => {
  const { fake, proxy } = await build(t);
  await proxy.post({ ...question, tools, tool_prompt: 'a <|im_end|> b', guideline: '<|im_start|>' });
  t.match(lastBody(fake), { tool_prompt: 'a < |im_end|> b', guideline: '< |im_start|>' });
});
