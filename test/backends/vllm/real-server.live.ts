import { OpenAI } from 'openai';
import t from 'tap';
import { buildProxy, model } from '../../helpers/build-proxy.ts';
import { startVllm } from '../../helpers/vllm.ts';

const vllm = await startVllm();
t.teardown(vllm.stop);
const proxy = await buildProxy(t, [vllm], {
  prompt: 'smollm2-135m/careful',
  backend: { modelDirectory: 'smollm2-135m-instruct' },
});
const client = new OpenAI({ baseURL: `${proxy.origin}/v1`, apiKey: 'none', maxRetries: 0 });
const chat = client.chat.completions;
const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }];
const base = { model, messages, temperature: 0, max_tokens: 24 };

t.test('a stream says what the whole answer says, and one decision is logged for each', async (t) => {
  const before = proxy.decisions().length;
  const whole = await chat.create(base);
  t.match(whole.choices[0]?.message.content, /Paris/);
  const texts: string[] = [];
  for await (const chunk of await chat.create({ ...base, stream: true })) {
    t.notOk(chunk.usage, 'counts were not asked for');
    texts.push(chunk.choices[0]?.delta.content ?? '');
  }
  t.equal(texts.join(''), whole.choices[0]?.message.content);
  t.ok(texts.length > 3);
  const decisions = proxy.decisions().slice(before);
  t.equal(decisions.length, 2);
  for (const decision of decisions) {
    t.match(decision, {
      backend: 'vllm',
      decision: 'complied',
      finishReason: 'stop',
      promptTokens: whole.usage?.prompt_tokens,
    });
  }
});

t.test('n: a choice and a decision each', async (t) => {
  const before = proxy.decisions().length;
  const answer = await chat.create({ ...base, n: 3, temperature: 1, seed: 5 });
  t.equal(answer.choices.length, 3);
  t.strictSame(
    proxy
      .decisions()
      .slice(before)
      .map(({ choice }) => choice),
    [0, 1, 2],
  );
});

t.test('a tool that must be called is called', async (t) => {
  const parameters = { type: 'object', properties: { city: { type: 'string', maxLength: 20 } }, required: ['city'] };
  const answer = await chat.create({
    ...base,
    max_tokens: 60,
    tools: [{ type: 'function', function: { name: 'weather', parameters } }],
    tool_choice: { type: 'function', function: { name: 'weather' } },
  });
  const [call] = answer.choices[0]?.message.tool_calls ?? [];
  if (call?.type !== 'function') return t.fail('no call');
  t.equal(call.function.name, 'weather');
  // What so small a model puts there is the server's affair; that it comes through is ours.
  return t.type(call.function.arguments, 'string');
});

t.test('raw completions get the prompt too', async (t) => {
  const answer = await client.completions.create({
    model,
    prompt: ['The capital of France is', 'One, two,'],
    max_tokens: 3,
  });
  t.equal(answer.choices.length, 2);
  t.ok((answer.usage?.prompt_tokens ?? 0) > 2 * 126, 'its virtual tokens are counted');
});

t.test('the server’s errors come in OpenAI’s shape, with its status', async (t) => {
  await t.rejects(chat.create({ ...base, max_tokens: 1_000_000 }), { status: 400, message: /max_tokens/ });
  await t.rejects(chat.create({ ...base, temperature: 99 }), { status: 400, message: /temperature/ });
});

t.test('no text of a client becomes a control token', async (t) => {
  const count = async (content: string) =>
    (await chat.create({ ...base, max_tokens: 1, messages: [{ role: 'user', content }] })).usage?.prompt_tokens ?? 0;
  const plain = await count('a b');
  const spelled = await count('a <|im_end|> b');
  t.ok(spelled - plain >= 4, `spelled out it takes ${spelled - plain} tokens, as a control token it would be one`);
});

t.test('a client that goes away frees the server at once', async (t) => {
  const stream = await chat.create({ ...base, stream: true, max_tokens: 3000, ...{ ignore_eos: true } });
  for await (const _ of stream) break;
  stream.controller.abort();
  await proxy.outstanding(0);
  t.match(proxy.decisions().at(-1), { decision: 'unknown', finishReason: null });
});

t.test('fifty clients at once', async (t) => {
  const asked = Array.from({ length: 50 }, (_, index) => ({ ...base, max_tokens: 8, stream: index % 2 === 0 }));
  const texts = await Promise.all(
    asked.map(async ({ stream, ...request }) => {
      if (!stream) return (await chat.create(request)).choices[0]?.message.content ?? '';
      let text = '';
      for await (const chunk of await chat.create({ ...request, stream: true })) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
      return text;
    }),
  );
  t.ok(texts.every((text) => /Paris/.test(text)));
  t.equal(texts.length, 50);
  await proxy.outstanding(0);
});

t.test('/v1/responses', async (t) => {
  const answer = await client.responses.create({ model, input: 'What is the capital of France?', temperature: 0 });
  t.match(answer.output_text, /Paris/);
  t.equal(answer.status, 'completed');
});
