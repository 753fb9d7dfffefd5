import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { buildProxy, post, question } from '../helpers/build-proxy.ts';
import { sendJson, startFakeVllm } from '../helpers/fake-vllm.ts';
import { scrape, sumOf } from './support/scrape.ts';

const refusal = {
  id: 'x',
  choices: [{ index: 0, message: { content: "I'm sorry, but I can't help with that." }, finish_reason: 'stop' }],
};

async function start(t: Test, more: object = {}) {
  const fake = await startFakeVllm(t);
  return { fake, ...(await buildProxy(t, [fake], { more })) };
}

t.test('requests, decisions, tokens and durations are counted by model, prompt, variant and tenant', async (t) => {
  const key = 'pk_web';
  const keys = [`sha256:${createHash('sha256').update(key).digest('hex')}`];
  const { fake, origin, admin } = await start(t, { tenants: [{ id: 'web', keys, models: ['*'] }] });
  const headers = { authorization: `Bearer ${key}` };
  await post(origin, question, { headers });
  await post(origin, { ...question, stream: true }, { headers });
  await post(origin, question);
  await post(origin, { ...question, model: 'no-such-model-abc' }, { headers });
  fake.script = (response) => sendJson(response, 200, refusal);
  await post(origin, question, { headers });
  const route = '/v1/chat/completions';
  const samples = await scrape(admin, (found) => sumOf(found, 'preamble_requests_total', { result: 'rejected' }) === 2);
  t.equal(sumOf(samples, 'preamble_requests_total', { model: 'chat', route, status: '200', result: 'ok' }), 3);
  t.equal(sumOf(samples, 'preamble_request_faults_total', { model: 'none', code: 'invalid_api_key' }), 1);
  t.equal(sumOf(samples, 'preamble_request_faults_total', { model: 'none', code: 'model_not_found' }), 1);
  const decided = { model: 'chat', prompt: 'test/kind@1.0.0', variant: 'stable', tenant: 'web' };
  t.equal(sumOf(samples, 'preamble_decisions_total', { ...decided, decision: 'complied' }), 2);
  t.equal(sumOf(samples, 'preamble_decisions_total', { ...decided, decision: 'refused' }), 1);
  t.equal(sumOf(samples, 'preamble_decisions_total', { ...decided, decision: 'empty' }), 0, 'rates need a beginning');
  t.equal(sumOf(samples, 'preamble_tokens_total', { kind: 'completion', variant: 'stable' }), 6);
  t.equal(sumOf(samples, 'preamble_answer_duration_seconds_count', { model: 'chat' }), 3);
  t.equal(sumOf(samples, 'preamble_answer_duration_seconds_bucket', { model: 'chat', le: '+Inf' }), 3);
  t.equal(sumOf(samples, 'preamble_gateway_duration_seconds_count', { model: 'chat' }), 3);
  t.equal(sumOf(samples, 'preamble_upstream_first_token_seconds_count', { model: 'chat' }), 1, 'of streams');
  t.ok(sumOf(samples, 'preamble_answer_duration_seconds_sum', { model: 'chat' }) > 0);
  t.equal(sumOf(samples, 'preamble_requests_in_flight', {}), 0);
});

t.test('the state of models, servers, prompts and settings is told as it is now', async (t) => {
  const { fake, origin, admin } = await start(t);
  const before = await scrape(admin);
  const server = fake.origin;
  t.equal(sumOf(before, 'preamble_upstream_up', { model: 'chat', server }), 1);
  t.equal(sumOf(before, 'preamble_model_up', { model: 'chat' }), 1);
  t.equal(sumOf(before, 'preamble_prompt_available', { model: 'chat' }), 1);
  t.equal(sumOf(before, 'preamble_prompt_info', { prompt: 'test/kind@1.0.0', digest: /^sha256:|^[0-9a-f]{64}$/ }), 1);
  t.equal(sumOf(before, 'preamble_config_generation', {}), 1);
  t.equal(sumOf(before, 'preamble_build_info', { version: /^\d/ }), 1);
  t.ok(before.some(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds'));
  t.notOk(
    before.some(({ name }) => name === 'preamble_redis_up'),
    'none is configured',
  );
  fake.script = (response) => response.destroy();
  for (let i = 0; i < 5; i++) await post(origin, question);
  const after = await scrape(admin, (found) => sumOf(found, 'preamble_upstream_up', {}) === 0);
  t.equal(sumOf(after, 'preamble_upstream_ejections_total', { model: 'chat', server }), 1);
  t.equal(sumOf(after, 'preamble_model_up', { model: 'chat' }), 0);
  t.ok(sumOf(after, 'preamble_requests_total', { result: 'failed' }) >= 1);
});

t.test('OpenMetrics is printed for those who ask for it, and the old text afterwards is as before', async (t) => {
  const { origin, admin } = await start(t);
  await post(origin, question);
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3';
  const open = await fetch(`${admin}/metrics`, { headers: { accept } });
  t.match(open.headers.get('content-type'), /^application\/openmetrics-text; version=1\.0\.0/);
  const text = await open.text();
  t.match(text, /^# TYPE preamble_decisions counter$/m);
  t.match(text, /^preamble_decisions_total\{.*\} \d+$/m);
  t.notMatch(text, /\n\n/, 'no empty lines');
  t.ok(text.endsWith('\n# EOF\n'));
  const old = await fetch(`${admin}/metrics`);
  t.match(old.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  t.match(await old.text(), /^# TYPE preamble_decisions_total counter$/m);
  t.equal((await fetch(`${origin}/metrics`)).status, 404, 'not where applications ask');
});
