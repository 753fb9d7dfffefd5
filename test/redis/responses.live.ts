import t from 'tap';
import type { ResponseState } from '../../src/openai/responses/store.ts';
import { createRedisResponses } from '../../src/redis/responses.ts';
import { connect, startRedis, until, untilDegraded } from '../helpers/redis.ts';

const state: ResponseState = {
  response: { id: 'resp_1', output: [{ type: 'message', text: 'Grüße 👋' }] },
  messages: [
    { role: 'user', content: 'Hallo' },
    { role: 'assistant', content: 'Grüße 👋' },
  ],
};

t.test('an answer is remembered for its tenant, for its time', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  const store = createRedisResponses(connection, 3600);
  await store.save('web', 'resp_1', state);
  t.strictSame(await store.load('web', 'resp_1'), state);
  t.equal(await store.load('other', 'resp_1'), null, 'another tenant has none by this id');
  t.equal(await store.load('web', 'resp_2'), null);
  const left = await redis.client.ttl('preamble:response:web:resp_1');
  t.ok(left > 3500 && left <= 3600, `${left} s`);
  t.equal(await store.remove('web', 'resp_1'), true);
  t.equal(await store.remove('web', 'resp_1'), false);
  t.equal(await store.load('web', 'resp_1'), null);

  const brief = createRedisResponses(connection, 1);
  await brief.save('web', 'resp_3', state);
  await until(async () => (await brief.load('web', 'resp_3')) === null);
});

t.test('what is no answer is none, and without Redis it says so', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  const store = createRedisResponses(connection, 3600);
  for (const text of ['{', 'null', '{"response":{}}', '{"response":{},"messages":"all"}']) {
    await redis.client.set('preamble:response:web:resp_1', text);
    t.equal(await store.load('web', 'resp_1'), null, text);
  }
  await redis.kill();
  await untilDegraded(connection);
  await t.rejects(store.load('web', 'resp_1'), { code: 'redis_unavailable', status: 503 });
  await t.rejects(store.save('web', 'resp_1', state), { code: 'redis_unavailable' });
});
