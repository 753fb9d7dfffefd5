import t from 'tap';
import { buildTiny, modelName, postJson } from '../helpers/build.ts';

t.test('alive is not yet ready', async (t) => {
  const { origin } = await buildTiny(t, { loading: true });
  const alive = await fetch(`${origin}/healthz`);
  t.equal(alive.status, 200);
  t.strictSame(await alive.json(), { status: 'ok' });
  const ready = await fetch(`${origin}/readyz`);
  t.equal(ready.status, 503);
  t.equal(ready.headers.get('retry-after'), '1');
  t.strictSame(await ready.json(), { status: 'not ready', reason: `${modelName} is loading.` });
  const answer = await postJson(`${origin}/v1/completions`, { model: modelName, prompt: 'Hi' });
  t.equal(answer.status, 503);
  t.equal(answer.headers.get('x-should-retry'), 'true');
});

t.test('ready', async (t) => {
  const { origin } = await buildTiny(t);
  const ready = await fetch(`${origin}/readyz`);
  t.equal(ready.status, 200);
  t.strictSame(await ready.json(), { status: 'ready' });
});
