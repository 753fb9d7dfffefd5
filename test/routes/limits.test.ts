import { OpenAI, RateLimitError } from 'openai';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import type { LimitCounters } from '../../src/limits/counters.ts';
import { createLocalCounters } from '../../src/limits/local-counters.ts';
import { surviveLoss } from '../../src/limits/shared-counters.ts';
import { build, modelName, postJson, until } from '../helpers/build.ts';
import { scriptedEngine } from '../helpers/scripted-engine.ts';
import { clientOf, tenantsByKey } from '../helpers/tenants.ts';

const chat = { model: modelName, messages: [{ role: 'user' as const, content: 'Hello.' }], max_tokens: 50 };

/** Counters whose minute goes by when the test says so. */
function stoppedCounters() {
  const clock = { now: 1_000_000 };
  return { clock, counters: createLocalCounters(() => clock.now) };
}

const estimateOf = (body: { max_tokens: number }, more: object = {}) =>
  Math.ceil(JSON.stringify({ ...body, ...more }).length / 4) + body.max_tokens;

const brokenStore: LimitCounters = {
  take: async () => {
    throw new Error('connect ECONNREFUSED');
  },
};

t.test('without limits nothing is counted and no header tells of any', async (t) => {
  const tenants = tenantsByKey({ web: {} });
  const { origin } = await build(t, { engine: scriptedEngine(), tenants, counters: brokenStore });
  const { response } = await clientOf(origin, 'web').chat.completions.create(chat).withResponse();
  t.notOk([...response.headers.keys()].some((name) => name.startsWith('x-ratelimit-')));
});

t.test('requests a minute', async (t) => {
  const { clock, counters } = stoppedCounters();
  const tenants = tenantsByKey({
    web: { limits: { requestsPerMinute: 100 } },
    other: { limits: { requestsPerMinute: 1 } },
  });
  const { origin } = await build(t, { engine: scriptedEngine(), tenants, counters });
  const url = `${origin}/v1/chat/completions`;
  const first = await postJson(url, chat, { authorization: 'Bearer web' });
  t.match(Object.fromEntries(first.headers), {
    'x-ratelimit-limit-requests': '100',
    'x-ratelimit-remaining-requests': '99',
    'x-ratelimit-reset-requests': '600ms',
  });
  t.notOk(first.headers.has('x-ratelimit-limit-tokens'));
  for (let i = 0; i < 99; i++) await postJson(url, { ...chat, model: 'nowhere' }, { authorization: 'Bearer web' });
  t.equal(
    (await postJson(url, chat, { authorization: 'Bearer web' })).status,
    200,
    'what no model answers is not counted',
  );
  for (let i = 0; i < 98; i++) await postJson(url, { ...chat, max_tokens: 1 }, { authorization: 'Bearer web' });
  const over = await postJson(url, chat, { authorization: 'Bearer web' });
  t.equal(over.status, 429);
  t.match(await over.json(), {
    error: { code: 'rate_limit_exceeded', param: null, message: /100 requests a minute.*600ms/ },
  });
  t.match(Object.fromEntries(over.headers), {
    'retry-after': '1',
    'x-should-retry': 'true',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '1m0s',
  });
  t.equal((await postJson(url, chat, { authorization: 'Bearer other' })).status, 200, 'another tenant has its own');
  t.equal((await postJson(`${origin}/v1/models`, undefined, { authorization: 'Bearer web' })).status, 405);
  t.equal((await clientOf(origin, 'web').models.list()).data.length, 1, 'what costs no model anything goes on');

  const error = await clientOf(origin, 'web')
    .chat.completions.create(chat)
    .catch((thrown: unknown) => thrown);
  t.ok(error instanceof RateLimitError);
  t.match(error, { status: 429, code: 'rate_limit_exceeded' });

  const answered: number[] = [];
  const patient = new OpenAI({
    baseURL: `${origin}/v1`,
    apiKey: 'web',
    maxRetries: 1,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      answered.push(response.status);
      clock.now += 600;
      return response;
    },
  });
  t.equal((await patient.chat.completions.create(chat)).object, 'chat.completion');
  t.same(answered, [429, 200], 'the client library waits as it is told, and gets its answer');
});

t.test('tokens a minute: estimated at first, settled by what the model counted', async (t) => {
  const { counters } = stoppedCounters();
  const engine = scriptedEngine();
  const tenants = tenantsByKey({ web: { limits: { tokensPerMinute: 1000 } } });
  const { origin } = await build(t, { engine, tenants, counters });
  const client = clientOf(origin, 'web');
  const body = { ...chat, max_tokens: 100 };
  const estimate = estimateOf(body);
  const first = await client.chat.completions.create(body).withResponse();
  t.equal(first.response.headers.get('x-ratelimit-remaining-tokens'), String(1000 - estimate));
  const used = first.data.usage?.total_tokens ?? 0;
  t.ok(used > 0 && used < estimate);

  const second = await client.chat.completions.create(body).withResponse();
  const left = 1000 - used - estimate;
  t.equal(second.response.headers.get('x-ratelimit-remaining-tokens'), String(left));
  t.equal(second.response.headers.get('x-ratelimit-reset-tokens'), `${((used + estimate) * 60) / 1000}s`);

  engine.fail(new PreambleError('queue_full', 'Too many are waiting.'), 'before');
  t.equal((await postJson(`${origin}/v1/chat/completions`, body, { authorization: 'Bearer web' })).status, 429);
  const third = await client.chat.completions.create(body).withResponse();
  const remaining = String(1000 - 2 * used - estimate);
  t.equal(third.response.headers.get('x-ratelimit-remaining-tokens'), remaining, 'what was turned away cost nothing');

  const choices = await client.chat.completions.create({ ...body, n: 3 }).withResponse();
  t.ok(
    Number(choices.response.headers.get('x-ratelimit-remaining-tokens')) < Number(remaining) - 200,
    'each choice counts',
  );
  const huge = await client.chat.completions.create({ ...body, max_tokens: 8000 }).catch((thrown: unknown) => thrown);
  t.match(huge, { status: 429, code: 'rate_limit_exceeded', message: /1000 tokens a minute/ });
});

t.test('a stream that the client leaves is counted by what was seen of it', async (t) => {
  const { counters } = stoppedCounters();
  const engine = scriptedEngine();
  const tenants = tenantsByKey({ web: { limits: { tokensPerMinute: 10_000 } } });
  const { origin, decisions } = await build(t, { engine, tenants, counters });
  const client = clientOf(origin, 'web');
  const body = { ...chat, max_tokens: 5000 };
  engine.pause();
  const { data: stream, response } = await client.chat.completions.create({ ...body, stream: true }).withResponse();
  t.match(Number(response.headers.get('x-ratelimit-remaining-tokens')), 10_000 - estimateOf(body, { stream: true }));
  for await (const _ of stream) break;
  await until(() => decisions().length === 1);
  engine.resume();
  const next = await client.chat.completions.create(body).withResponse();
  const remaining = Number(next.response.headers.get('x-ratelimit-remaining-tokens'));
  t.ok(remaining > 10_000 - 5000 - 100 && remaining < 10_000 - 5000 - 30, String(remaining));
});

t.test('a wait of more than a minute is not slept through by client libraries', async (t) => {
  const { counters } = stoppedCounters();
  const limits = { tokensPerMinute: 1 };
  const { origin } = await build(t, { engine: scriptedEngine(), tenants: tenantsByKey({ web: { limits } }), counters });
  const client = clientOf(origin, 'web', 2);
  await client.chat.completions.create(chat);
  const error = await client.chat.completions.create(chat).catch((thrown: unknown) => thrown);
  t.ok(error instanceof RateLimitError);
  if (!(error instanceof RateLimitError)) return;
  t.equal(error.headers?.get('x-should-retry'), 'false');
  t.ok(Number(error.headers?.get('retry-after')) > 60);
});

t.test('answers at a time: a place is given back however the answer ends', async (t) => {
  const engine = scriptedEngine();
  const tenants = tenantsByKey({ web: { limits: { streams: 1 } } });
  const { origin, decisions } = await build(t, { engine, tenants, limits: { requestSeconds: 2 } });
  const client = clientOf(origin, 'web');
  const refused = () => client.chat.completions.create(chat).catch((thrown: unknown) => thrown);
  const answers = async (name: string) =>
    t.equal((await client.chat.completions.create(chat)).object, 'chat.completion', name);

  engine.pause();
  const stream = await client.chat.completions.create({ ...chat, stream: true });
  t.match(await refused(), { status: 429, code: 'rate_limit_exceeded', message: /1 answers at a time/ });
  engine.resume();
  for await (const _ of stream);
  await answers('after a whole stream');
  await answers('after a whole answer');

  engine.pause();
  const left = await client.chat.completions.create({ ...chat, stream: true });
  t.match(await refused(), { status: 429 });
  const before = decisions().length;
  left.controller.abort();
  await until(() => decisions().length > before);
  engine.resume();
  await answers('after the client left');

  engine.pause();
  const leaving = new AbortController();
  const whole = client.chat.completions.create(chat, { signal: leaving.signal }).catch(() => {});
  await engine.running(1);
  t.match(await refused(), { status: 429 });
  const sofar = decisions().length;
  leaving.abort();
  await whole;
  await until(() => decisions().length > sofar);
  engine.resume();
  await answers('after the client left before the answer was whole');

  engine.fail(new Error('the model fell over'), 'before');
  t.match(await refused(), { status: 500 });
  await answers('after an error');
  engine.fail(new Error('the model fell over'), 'after');
  const broken = await client.chat.completions.create({ ...chat, stream: true });
  await t.rejects(async () => {
    for await (const _ of broken);
  });
  await answers('after an error within a stream');

  engine.pause();
  t.match(await refused(), { status: 504 }, 'took too long');
  engine.resume();
  await answers('after the time was up');
});

t.test('with the shared store gone', async (t) => {
  const tenants = tenantsByKey({ web: { limits: { requestsPerMinute: 1 } }, free: {} });
  const logger = { warn: () => {}, info: () => {} };
  const counters = (onUnavailable: 'local' | 'refuse') =>
    surviveLoss(brokenStore, { onUnavailable, local: createLocalCounters(), logger });

  await t.test('refuse: 503 for tenants with limits alone', async (t) => {
    const { origin } = await build(t, { engine: scriptedEngine(), tenants, counters: counters('refuse') });
    const response = await postJson(`${origin}/v1/chat/completions`, chat, { authorization: 'Bearer web' });
    t.equal(response.status, 503);
    t.equal(response.headers.get('x-should-retry'), 'true');
    const body = await response.text();
    t.match(JSON.parse(body), { error: { code: 'limits_unavailable', type: 'server_error' } });
    t.notMatch(body, /ECONNREFUSED/);
    t.equal((await clientOf(origin, 'free').chat.completions.create(chat)).object, 'chat.completion');
  });

  await t.test('local: limits go on to hold', async (t) => {
    const { origin } = await build(t, { engine: scriptedEngine(), tenants, counters: counters('local') });
    const client = clientOf(origin, 'web');
    t.equal((await client.chat.completions.create(chat)).object, 'chat.completion');
    t.match(await client.chat.completions.create(chat).catch((thrown: unknown) => thrown), { status: 429 });
  });
});
