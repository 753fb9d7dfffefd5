import t from 'tap';
import { build, collect, modelName, postJson } from '../helpers/build.ts';
import { startDefaultEngine } from '../helpers/default-engine.ts';
import { createFakeChat } from '../helpers/fake-chat.ts';

const weather = {
  type: 'function' as const,
  name: 'weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
};
const base = { model: modelName, input: 'Hello' };

for (const relayed of [false, true]) {
  t.test(relayed ? 'a backend that answers in bytes' : 'a backend that answers in objects', async (t) => {
    const backend = createFakeChat({ relayed });
    const { client, decisions } = await build(t, { backend });

    await t.test('a whole answer, its headers, its decision', async (t) => {
      const { data, response } = await client.responses
        .create({ ...base, instructions: 'Be brief.' }, { headers: { 'x-request-id': `whole-${relayed}` } })
        .withResponse();
      t.equal(data.output_text, 'You said: Hello');
      t.match(data, {
        id: /^resp_[0-9a-f]{32}$/,
        object: 'response',
        status: 'completed',
        model: modelName,
        instructions: 'Be brief.',
        store: false,
        usage: { input_tokens: 11, input_tokens_details: { cached_tokens: 4 }, output_tokens: 5, total_tokens: 16 },
      });
      t.equal(response.headers.get('x-preamble-prompt'), 'none');
      t.match(response.headers.get('content-type'), /^application\/json/);
      t.equal(response.headers.get('x-ratelimit-limit-requests'), relayed ? '7' : null);
      t.match(
        decisions().find((line) => line['requestId'] === `whole-${relayed}`),
        { choice: 0, decision: 'complied', stream: false, finishReason: 'stop', promptTokens: 11, completionTokens: 5 },
      );
    });

    await t.test('a stream, by the client that puts it together', async (t) => {
      const stream = client.responses.stream({ ...base, store: false });
      const events = await collect(stream);
      const final = await stream.finalResponse();
      t.equal(final.output_text, 'You said: Hello');
      t.equal(final.status, 'completed');
      t.match(final.usage, { input_tokens: 11, output_tokens: 5 });
      t.strictSame(
        events.map(({ type }) => type),
        [
          'response.created',
          'response.in_progress',
          'response.output_item.added',
          'response.content_part.added',
          'response.output_text.delta',
          'response.output_text.delta',
          'response.output_text.done',
          'response.content_part.done',
          'response.output_item.done',
          'response.completed',
        ],
      );
      t.match(decisions().at(-1), { stream: true, decision: 'complied', finishReason: 'stop', completionTokens: 5 });
    });

    await t.test('a tool call, whole and streamed, and the answer to its result', async (t) => {
      const asked = { ...base, tools: [weather] };
      const whole = await client.responses.create(asked);
      const [call] = whole.output;
      t.match(call, { type: 'function_call', name: 'weather', arguments: '{"city":"Paris"}', call_id: 'call_1' });
      t.equal(decisions().at(-1)?.['finishReason'], 'tool_calls');
      const streamed = await client.responses.stream(asked).finalResponse();
      t.match(streamed.output, [{ type: 'function_call', arguments: '{"city":"Paris"}' }]);
      const output = { type: 'function_call_output' as const, call_id: 'call_1', output: 'Sunny.' };
      const before = whole.output.flatMap((item) => (item.type === 'function_call' ? [item] : []));
      const input = [{ role: 'user' as const, content: 'Hello' }, ...before, output];
      const answer = await client.responses.create({ ...asked, input });
      t.equal(answer.output_text, 'You said: Sunny.');
      t.match(backend.calls.at(-1)?.request.messages, [
        { role: 'user' },
        { role: 'assistant', content: null, tool_calls: [{ id: 'call_1' }] },
        { role: 'tool', content: 'Sunny.' },
      ]);
      t.strictSame(JSON.parse(Buffer.from(backend.calls.at(-1)?.body ?? '').toString()), backend.calls.at(-1)?.request);
    });
  });
}

t.test('events carry their names, and no [DONE] follows', async (t) => {
  const { origin } = await build(t, { backend: createFakeChat() });
  const response = await postJson(`${origin}/v1/responses`, { ...base, stream: true });
  t.match(response.headers.get('content-type'), /^text\/event-stream/);
  const events = (await response.text()).trimEnd().split('\n\n');
  for (const event of events) {
    const [name = '', data = ''] = event.split('\n');
    t.equal(name, `event: ${JSON.parse(data.replace(/^data: /, '')).type}`);
  }
  t.match(events.at(-1), /^event: response.completed\n/);
});

t.test('what the client may not send is refused as in chat completions', async (t) => {
  const backend = createFakeChat();
  const { origin, decisions } = await build(t, { backend });
  const url = `${origin}/v1/responses`;
  const embeds = { type: 'prompt_embeds', data: 'AAAA' };
  const cases: [name: string, body: unknown, status: number, param: string | null][] = [
    ['embeddings at the top', { ...base, prompt_embeds: 'AAAA' }, 400, 'prompt_embeds'],
    ['embeddings as a part', { ...base, input: [{ role: 'user', content: [embeds] }] }, 400, 'input[0].content[0]'],
    [
      'embeddings beside a text',
      { ...base, input: [{ role: 'user', content: [{ type: 'input_text', text: 'x', image_embeds: 'AAAA' }] }] },
      400,
      'input[0].content[0]',
    ],
    ['a tool of OpenAI', { ...base, tools: [{ type: 'web_search' }] }, 400, 'tools[0].type'],
    ['an unknown model', { ...base, model: 'none' }, 404, 'model'],
    ['a previous response', { ...base, previous_response_id: 'resp_1' }, 400, 'previous_response_id'],
    ['broken JSON', '{"model":', 400, null],
    ['no input', { model: modelName }, 400, 'input'],
  ];
  for (const [name, body, status, param] of cases) {
    const response = await postJson(url, body);
    t.equal(response.status, status, name);
    t.match(
      await response.json(),
      { error: { message: /\S/, type: 'invalid_request_error', param, code: /\S/ } },
      name,
    );
    t.ok(response.headers.get('x-request-id'), name);
  }
  t.equal(backend.calls.length, 0);
  t.equal(decisions().length, 0);
});

t.test('without a store nothing is kept, and it says so', async (t) => {
  const { client, origin } = await build(t, { backend: createFakeChat() });
  const { id } = await client.responses.create({ ...base, store: true });
  await t.rejects(client.responses.retrieve(id), { status: 404, message: /no Redis/ });
  await t.rejects(client.responses.delete(id), { status: 404, message: /no Redis/ });
  const head = await fetch(`${origin}/v1/responses/${id}`, { method: 'PUT' });
  t.equal(head.status, 405);
});

t.test("what a backend finds wrong is said in the client's terms", async (t) => {
  const { engine } = await startDefaultEngine();
  t.teardown(() => engine.close());
  const { client } = await build(t, { engine });
  await t.rejects(client.responses.create({ ...base, max_output_tokens: 1e9 }), {
    status: 400,
    param: 'max_output_tokens',
    message: /'max_output_tokens' is too large/,
  });
  const format = { type: 'json_object' as const };
  await t.rejects(client.responses.create({ ...base, text: { format } }), {
    param: 'text.format',
    message: /'text.format' of type/,
  });
  const image = { type: 'input_image' as const, image_url: 'data:,', detail: 'auto' as const };
  await t.rejects(client.responses.create({ ...base, input: [{ role: 'user', content: [image] }] }), {
    param: 'input',
    message: /reads text only/,
  });
});
