import { AuthenticationError } from 'openai';
import t from 'tap';
import { build, modelName, postJson, until } from '../helpers/build.ts';
import { scriptedEngine } from '../helpers/scripted-engine.ts';
import { clientOf, tenantsByKey } from '../helpers/tenants.ts';

const chat = { model: modelName, messages: [{ role: 'user' as const, content: 'Hello.' }] };
const key = 'pmb_a-key-that-must-not-be-seen';
const wrongKey = 'pmb_another-that-must-not-be-seen';

t.test('with tenants, a key is needed', async (t) => {
  const engine = scriptedEngine();
  const { origin, logs, decisions } = await build(t, { engine, tenants: tenantsByKey({ [key]: { id: 'web' } }) });
  const url = `${origin}/v1/chat/completions`;

  await t.test('the right one answers, and the decision says whose it was', async (t) => {
    const answer = await clientOf(origin, key).chat.completions.create(chat);
    t.equal(answer.choices[0]?.message.content, 'Good day to you.');
    t.match(decisions(), [{ tenant: 'web', mode: 'monitor' }]);
    await until(() => logs.some((line) => line['event'] === 'request'));
    t.match(logs.at(-1), { event: 'request', status: 200, tenant: 'web' });
  });

  await t.test("a missing and a wrong one are refused alike, in OpenAI's shape", async (t) => {
    const refused = await clientOf(origin, wrongKey)
      .chat.completions.create(chat)
      .catch((error: unknown) => error);
    t.ok(refused instanceof AuthenticationError);
    t.match(refused, { status: 401, code: 'invalid_api_key', type: 'invalid_request_error', param: null });
    const missing = await postJson(url, chat);
    t.equal(missing.status, 401);
    t.equal(missing.headers.get('www-authenticate'), 'Bearer');
    t.ok(missing.headers.get('x-request-id'));
    t.notOk(missing.headers.get('x-should-retry'));
    const wrong = await postJson(url, chat, { authorization: `Bearer ${wrongKey}` });
    t.equal(await wrong.text(), await missing.text(), 'nothing tells them apart');
  });

  await t.test('a key is read from the authorization header alone', async (t) => {
    for (const headers of [
      { 'x-api-key': key },
      { 'api-key': key },
      { authorization: key },
      { cookie: `key=${key}` },
    ]) {
      t.equal((await postJson(url, chat, headers)).status, 401, Object.keys(headers).join());
    }
    t.equal((await postJson(`${url}?api_key=${key}`, chat)).status, 401);
    t.equal((await postJson(url, { ...chat, api_key: key })).status, 401);
  });

  await t.test('every path but the probes asks for it, whether it exists or not', async (t) => {
    for (const path of ['/v1/models', '/v1/models/x', '/v1/completions', '/v1/nothing', '/', '/v1/chat/completions/']) {
      t.equal((await fetch(`${origin}${path}`)).status, 401, path);
    }
    t.equal((await fetch(`${origin}/v1/models`, { method: 'OPTIONS' })).status, 401);
    t.equal((await fetch(`${origin}/healthz`)).status, 200);
    t.equal((await fetch(`${origin}/readyz`)).status, 200);
  });

  await t.test('it is refused before its body is read', async (t) => {
    const response = await postJson(url, '{"broken');
    t.equal(response.status, 401);
  });

  await t.test('no key is in the log', async (t) => {
    t.ok(logs.length > 5);
    t.notMatch(JSON.stringify(logs), /must-not-be-seen/);
    t.match(
      logs.find((line) => line['code'] === 'invalid_api_key'),
      { status: 401, msg: 'request refused' },
    );
  });
});

t.test('without tenants nobody is asked', async (t) => {
  const { origin, decisions } = await build(t, { engine: scriptedEngine() });
  t.equal((await postJson(`${origin}/v1/chat/completions`, chat)).status, 200);
  t.equal((await clientOf(origin, wrongKey).chat.completions.create(chat)).object, 'chat.completion');
  t.match(decisions(), [{ tenant: 'default' }, { tenant: 'default' }]);
});
