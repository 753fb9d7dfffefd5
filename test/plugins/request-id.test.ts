import t from 'tap';
import { buildTiny, modelName, postJson, until } from '../helpers/build.ts';

t.test('every answer has an id, the caller’s own where it is sane, and the log has the same', async (t) => {
  const { origin, logs } = await buildTiny(t);
  const short = { model: modelName, prompt: 'Hi', max_tokens: 1 };
  const answers = [
    await postJson(`${origin}/v1/completions`, short),
    await postJson(`${origin}/v1/completions`, { ...short, stream: true }),
    await postJson(`${origin}/v1/completions`, {}),
    await fetch(`${origin}/nothing`),
    await fetch(`${origin}/v1/models`),
    await fetch(`${origin}/v1/models`, { method: 'DELETE' }),
    await fetch(`${origin}/v1/models`, { method: 'OPTIONS' }),
    await fetch(`${origin}/healthz`),
    await fetch(`${origin}/readyz`),
  ];
  const ids = answers.map((response) => response.headers.get('x-request-id') ?? '');
  for (const [index, id] of ids.entries()) t.match(id, /^req_[0-9a-f]{32}$/, answers[index]?.url ?? '');
  t.equal(new Set(ids).size, ids.length);
  for (const response of answers) await response.text();
  // A line of its own for each; it is written when the answer has left.
  await until(() => ids.every((id) => logs.some(({ requestId }) => requestId === id)));

  t.equal(
    (await postJson(`${origin}/v1/completions`, short, { 'x-request-id': 'trace:1/a=b' })).headers.get('x-request-id'),
    'trace:1/a=b',
  );
  for (const id of ['', ' ', '"x"', 'a b', '-a', 'x'.repeat(129), 'a\tb']) {
    const response = await postJson(`${origin}/v1/completions`, {}, { 'x-request-id': id });
    t.match(response.headers.get('x-request-id'), /^req_[0-9a-f]{32}$/, JSON.stringify(id));
  }
});
