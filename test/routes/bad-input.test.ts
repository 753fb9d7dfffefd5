import t from 'tap';
import { build, modelName, postJson } from '../helpers/build.ts';
import { startDefaultEngine } from '../helpers/default-engine.ts';

t.test('what is wrong with a request is said in one OpenAI error, and the server goes on', async (t) => {
  const { engine } = await startDefaultEngine();
  t.teardown(() => engine.close());
  const { origin } = await build(t, { engine });
  const url = `${origin}/v1/chat/completions`;
  const messages = [{ role: 'user', content: 'Hi' }];
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  const cases: [name: string, body: unknown, status: number][] = [
    ['broken JSON', '{"model":', 400],
    ['20 MB', 'x'.repeat(20 * 2 ** 20), 413],
    ['deep nesting', `{"model":"${modelName}","messages":${deep}}`, 400],
    ['a NaN temperature', { model: modelName, messages, temperature: 'NaN' }, 400],
    [
      'an infinite temperature',
      `{"model":"${modelName}","messages":[{"role":"user","content":"a"}],"temperature":1e999}`,
      400,
    ],
    ['no tokens', { model: modelName, messages, max_tokens: 0 }, 400],
    ['10^9 tokens', { model: modelName, messages, max_tokens: 1e9 }, 400],
    ['messages of a wrong type', { model: modelName, messages: 'Hi' }, 400],
    ['an unknown model', { model: 'none', messages }, 404],
    ["the client's own embeddings", { model: modelName, messages, prompt_embeds: 'AAAA' }, 400],
    [
      'a prompt beyond the context',
      { model: modelName, messages: [{ role: 'user', content: 'word '.repeat(5000) }] },
      400,
    ],
  ];
  for (const [name, body, status] of cases) {
    const response = await postJson(url, body).catch((error: unknown) => error);
    if (!(response instanceof Response)) {
      t.equal(status, 413, `${name}: only a body that is too large may be cut off`);
      continue;
    }
    t.equal(response.status, status, name);
    const text = await response.text();
    t.match(JSON.parse(text), { error: { message: /\S/, type: /\S/ } }, name);
    t.notMatch(text, /\bat .*:\d+:\d+/, `${name}: no stack trace`);
    t.ok(response.headers.get('x-request-id'), name);
  }
  const answer = await postJson(url, { model: modelName, messages, max_tokens: 2 });
  t.equal(answer.status, 200, 'it still answers');
});
