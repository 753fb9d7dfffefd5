import t from 'tap';
import { buildTiny, modelName, postJson } from '../helpers/build.ts';

const SECRET = 'hunter2';

t.test('a path that is not there', async (t) => {
  const { origin } = await buildTiny(t);
  for (const [method, path] of [
    ['GET', '/'],
    ['POST', '/chat/completions'],
    ['GET', `/v1/nothing?key=${SECRET}`],
  ] as const) {
    const response = await fetch(`${origin}${path}`, { method });
    t.equal(response.status, 404);
    const body = await response.text();
    t.match(JSON.parse(body), { error: { code: 'not_found', type: 'invalid_request_error', message: /\/v1/ } });
    t.notMatch(body, SECRET, 'people put keys into queries');
  }
});

t.test('an unforeseen fault shows the client nothing but where to look, and the log everything, once', async (t) => {
  const { origin, engine, logs } = await buildTiny(t);
  engine.generate = async function* () {
    yield* [];
    throw new Error('broken within', { cause: new Error('the deeper reason') });
  };
  for (const stream of [false, true]) {
    const response = await postJson(`${origin}/v1/completions`, { model: modelName, prompt: 'Hi', stream });
    t.equal(response.status, 500);
    const body = await response.text();
    t.match(JSON.parse(body), { error: { code: 'internal', type: 'server_error', message: /x-request-id/ } });
    t.notMatch(body, /broken|deeper|\.ts|\bat /);
    const id = response.headers.get('x-request-id');
    const lines = logs.filter(({ requestId, level }) => requestId === id && Number(level) >= 50);
    t.equal(lines.length, 1);
    t.match(lines[0], { err: { message: /broken within/, stack: /errors\.test\.ts/ }, status: 500 });
    t.match(JSON.stringify(lines[0]), 'the deeper reason');
  }
});
