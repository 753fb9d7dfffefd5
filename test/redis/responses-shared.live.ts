import t from 'tap';
import { postJson } from '../helpers/build.ts';
import { startRedis, until } from '../helpers/redis.ts';
import { makeVersions, startGateway } from './support.ts';

t.test('one gateway goes on from what another answered; without Redis it says that it cannot', async (t) => {
  const redis = await startRedis(t);
  const promptDirectories = [await makeVersions(t, '1.0.0')];
  const options = { redis: { url: redis.url, responseSeconds: 600 }, promptDirectories };
  const [one, two] = [await startGateway(t, options), await startGateway(t, options)];
  const ask = async (origin: string, more: object) => {
    const fields = { model: 'tiny', max_output_tokens: 4, ...more };
    const response = await postJson(`${origin}/v1/responses`, fields);
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const first = await ask(one.origin, { input: 'Hello' });
  t.match(first, { status: 200, body: { id: /^resp_[0-9a-f]{32}$/ } });
  const key = `preamble:response:default:${first.body.id}`;
  const left = await redis.client.ttl(key);
  t.ok(left > 500 && left <= 600, `${left} s`);
  const next = { input: 'And then?', previous_response_id: first.body.id };
  t.match(await ask(two.origin, next), { status: 200, body: { previous_response_id: first.body.id } });

  await redis.kill();
  await until(() => two.events('redis.degraded').length === 1);
  t.match(await ask(two.origin, next), { status: 503, body: { error: { code: 'redis_unavailable' } } });
  t.match(await ask(two.origin, { input: 'Hello', store: false }), { status: 200 });
  await redis.restart();
  await until(() => two.events('redis.connected').length === 2);
  t.match(await ask(two.origin, next), { status: 400, body: { error: { param: 'previous_response_id' } } });
});
