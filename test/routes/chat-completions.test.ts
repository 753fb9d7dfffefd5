import t from 'tap';
import { build, collect, modelName } from '../helpers/build.ts';
import { startDefaultEngine } from '../helpers/default-engine.ts';

const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }];

t.test('the real model over the real client', async (t) => {
  const { engine } = await startDefaultEngine();
  t.teardown(() => engine.close());
  const { client, decisions } = await build(t, { engine });
  const chat = client.chat.completions;

  await t.test('a whole answer, its headers, and one decision in the log', async (t) => {
    const request = { model: modelName, messages, temperature: 0, max_tokens: 40 };
    const { data, response } = await chat.create(request, { headers: { 'x-request-id': 'mine-1' } }).withResponse();
    const [choice] = data.choices;
    t.match(choice?.message.content, /Paris/);
    t.match(data, { object: 'chat.completion', model: modelName, choices: [{ index: 0, finish_reason: 'stop' }] });
    t.equal(data.usage?.total_tokens, (data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
    t.equal(response.headers.get('x-request-id'), 'mine-1');
    t.equal(response.headers.get('x-preamble-prompt'), 'none');
    t.match(response.headers.get('openai-processing-ms'), /^\d+$/);
    const decision = decisions().find((line) => line['requestId'] === 'mine-1');
    t.match(decision, { model: modelName, choice: 0, decision: 'complied', stream: false, finishReason: 'stop' });
    t.equal(decision?.['completionTokens'], data.usage?.completion_tokens);
    t.ok(Number(decision?.['gatewayMs']) <= Number(decision?.['totalMs']));
  });

  await t.test('streamed, the same text in pieces', async (t) => {
    const request = { model: modelName, messages, temperature: 0, max_tokens: 40 };
    const whole = await chat.create(request);
    const stream = await chat.create({ ...request, stream: true });
    const texts: string[] = [];
    const reasons = new Set<string | null>();
    for await (const chunk of stream) {
      t.notOk(chunk.usage, 'counts come only when asked for');
      texts.push(chunk.choices[0]?.delta.content ?? '');
      reasons.add(chunk.choices[0]?.finish_reason ?? null);
    }
    t.equal(texts.join(''), whole.choices[0]?.message.content);
    t.ok(texts.length > 5);
    t.strictSame([...reasons], [null, 'stop']);
    t.match(decisions().at(-1), { stream: true, decision: 'complied', promptTokens: whole.usage?.prompt_tokens });
  });

  await t.test('include_usage ends with one more chunk', async (t) => {
    const stream_options = { include_usage: true };
    const stream = await chat.create({ model: modelName, messages, max_tokens: 3, stream: true, stream_options });
    const chunks = await collect(stream);
    t.match(chunks.at(-1), { choices: [], usage: { completion_tokens: 3 } });
    t.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
  });

  await t.test('n=2 with a seed: two answers, the same two again, a decision for each', async (t) => {
    const request = { model: modelName, messages, n: 2, seed: 7, temperature: 1.2, max_tokens: 12 };
    const before = decisions().length;
    const first = await chat.create(request);
    const texts = first.choices.map((choice) => choice.message.content);
    t.strictSame(
      first.choices.map((choice) => choice.index),
      [0, 1],
    );
    t.not(texts[0], texts[1]);
    t.strictSame(
      decisions()
        .slice(before)
        .map((line) => line['choice']),
      [0, 1],
    );
    const streamed = ['', ''];
    for await (const chunk of await chat.create({ ...request, stream: true })) {
      for (const { index, delta } of chunk.choices) streamed[index] += delta.content ?? '';
    }
    t.strictSame(streamed, texts);
  });

  await t.test('logprobs and stop', async (t) => {
    const base = { model: modelName, messages, temperature: 0, max_tokens: 8, logprobs: true, top_logprobs: 2 };
    const answer = await chat.create(base);
    const tokens = answer.choices[0]?.logprobs?.content ?? [];
    // The token that ends an answer is counted and has no logprob of its own to show.
    const said = (answer.usage?.completion_tokens ?? 0) - (answer.choices[0]?.finish_reason === 'stop' ? 1 : 0);
    t.ok(said > 1);
    t.equal(tokens.length, said);
    t.equal(tokens.map((token) => token.token).join(''), answer.choices[0]?.message.content);
    t.ok(tokens.every((token) => token.logprob <= 0 && token.top_logprobs.length === 2));
    const stopped = await chat.create({ model: modelName, messages, temperature: 0, stop: ['Paris'] });
    t.notMatch(stopped.choices[0]?.message.content, /Paris/);
    t.equal(stopped.choices[0]?.finish_reason, 'stop');
  });

  await t.test('text parts and the developer role read as their plain forms', async (t) => {
    const plain = await chat.create({
      model: modelName,
      temperature: 0,
      max_tokens: 8,
      messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
    });
    const parts = await chat.create({
      model: modelName,
      temperature: 0,
      max_tokens: 8,
      messages: [
        { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'user', content: [{ type: 'text', text: 'What is the capital of France?' }] },
      ],
    });
    t.equal(parts.choices[0]?.message.content, plain.choices[0]?.message.content);
    t.equal(parts.usage?.prompt_tokens, plain.usage?.prompt_tokens);
  });

  await t.test('completions: text, token ids, several prompts, usage', async (t) => {
    const base = { model: modelName, temperature: 0, max_tokens: 4 };
    const one = await client.completions.create({ ...base, prompt: 'The capital of France is' });
    t.match(one, { object: 'text_completion', choices: [{ index: 0, text: /Paris/, finish_reason: 'length' }] });
    const two = await client.completions.create({ ...base, prompt: ['The capital of France is', 'One, two, three,'] });
    t.equal(two.choices.length, 2);
    t.equal(two.choices[0]?.text, one.choices[0]?.text);
    t.equal(two.usage?.completion_tokens, 8);
    const pieces = await collect(
      await client.completions.create({ ...base, prompt: 'The capital of France is', stream: true, logprobs: 1 }),
    );
    t.equal(pieces.map((piece) => piece.choices[0]?.text).join(''), one.choices[0]?.text);
    const offsets = pieces.flatMap((piece) => piece.choices[0]?.logprobs?.text_offset ?? []);
    t.strictSame(offsets[0], 0);
    t.equal(offsets.length, 4);
  });
});
