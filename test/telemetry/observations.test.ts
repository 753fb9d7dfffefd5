import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { DecisionMade, RequestFinished } from '../../src/telemetry/observations.ts';
import { createObservations } from '../../src/telemetry/observations.ts';
import { type BuildOptions, buildTiny, modelName, postJson, until } from '../helpers/build.ts';
import { buildProxy, open, question } from '../helpers/build-proxy.ts';
import { beginEvents, startFakeVllm } from '../helpers/fake-vllm.ts';
import { tenantsByKey } from '../helpers/tenants.ts';

const messages = [{ role: 'user', content: 'Hi' }];

async function watched(t: Test, options: Omit<BuildOptions, 'engine' | 'directory'> = {}) {
  const built = await buildTiny(t, options);
  const events: (['decision', DecisionMade] | ['request', RequestFinished])[] = [];
  built.observations.subscribe({
    decisionMade: (event) => events.push(['decision', event]),
    requestFinished: (event) => events.push(['request', event]),
  });
  const requests = () => events.flatMap(([kind, event]) => (kind === 'request' ? [event] : []));
  return { ...built, events, requests };
}

t.test('an answer is told of as one decision a choice, then as a finished request', async (t) => {
  const tenants = tenantsByKey({ web: {} });
  const { origin, events, observations, logs } = await watched(t, { tenants });
  const headers = { authorization: 'Bearer web', 'x-request-id': 'mine' };
  const body = { model: modelName, messages, max_tokens: 3, stream: true };
  await (await postJson(`${origin}/v1/chat/completions?key=secret`, body, headers)).text();
  await until(() => events.length === 2);
  t.match(events, [
    ['decision', { plan: { entry: modelName, variant: 'off' }, record: { requestId: 'mine', choice: 0 } }],
    [
      'request',
      {
        requestId: 'mine',
        method: 'POST',
        route: '/v1/chat/completions',
        status: 200,
        result: 'ok',
        fault: null,
        tenant: 'web',
        plan: { entry: modelName },
        answer: { stream: true, decisions: [{ choice: 0 }], usage: { completion_tokens: 3 } },
      },
    ],
  ]);
  const [, finished] = events[1] ?? [];
  const answer = finished !== undefined && 'answer' in finished ? finished.answer : null;
  t.ok(Number(answer?.upstreamFirstTokenMs) <= Number(answer?.firstTokenMs));
  t.ok(Number(answer?.gatewayMs) <= Number(answer?.totalMs));
  t.equal(observations.inFlight(), 0);
  t.match(
    logs.filter(({ event }) => event === 'request'),
    [{ requestId: 'mine', path: '/v1/chat/completions', status: 200, result: 'ok', code: null, model: modelName }],
  );
});

t.test('what is turned away, and what nobody serves, is told of without an answer', async (t) => {
  const { origin, requests, observations } = await watched(t);
  await (await postJson(`${origin}/v1/chat/completions`, { model: 'other', messages })).text();
  await (await postJson(`${origin}/v1/chat/completions`, { model: modelName, messages, max_tokens: 1e9 })).text();
  await (await fetch(`${origin}/v1/nothing/here`)).text();
  await until(() => requests().length === 3);
  t.match(requests(), [
    { status: 404, result: 'rejected', fault: 'model_not_found', plan: null, answer: null },
    { status: 400, result: 'rejected', fault: String, plan: { entry: modelName }, answer: null },
    { status: 404, result: 'rejected', fault: 'not_found', route: null, plan: null },
  ]);
  t.equal(observations.inFlight(), 0);
});

t.test('a client that goes away in mid-answer is told of, and logged, once and after its decision', async (t) => {
  const { origin, events, logs, observations } = await watched(t, {});
  const gone = new AbortController();
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: modelName, messages, stream: true, ignore_eos: true }),
    signal: gone.signal,
  });
  const reader = response.body?.getReader();
  await reader?.read();
  t.equal(observations.inFlight(), 1);
  gone.abort();
  await until(() => events.length === 2);
  t.match(events, [
    ['decision', { record: { decision: 'unknown' } }],
    ['request', { result: 'cancelled', status: 200, answer: { decisions: [{ decision: 'unknown' }] } }],
  ]);
  t.equal(observations.inFlight(), 0);
  t.match(
    logs.filter(({ event }) => event === 'request'),
    [{ result: 'cancelled', status: 200 }],
  );
});

t.test('a stream that its server breaks off has failed, though its status is 200', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  fake.script = (response) => {
    beginEvents(response);
    response.write('data: {"choices":[{"index":0,"delta":{"content":"Go"}}]}\n\n');
    response.destroy();
  };
  const answer = await (await open(proxy.origin, { ...question, stream: true })).answer;
  answer.resume();
  await once(answer, 'end');
  const lines = () => proxy.logs.filter(({ event }) => event === 'request');
  await until(() => lines().length === 1);
  t.match(lines(), [
    { status: 200, result: 'failed', code: /^upstream_/, prompt: 'test/kind@1.0.0', variant: 'stable' },
  ]);
});

t.test('a model server that goes is told of', async (t) => {
  const fake = await startFakeVllm(t);
  const { origin, observations } = await buildProxy(t, [fake], { backend: { health: { failures: 1 } } });
  const changes: unknown[] = [];
  observations.subscribe({ backendHealthChanged: (event) => changes.push(event) });
  fake.script = (response) => response.destroy();
  await (await postJson(`${origin}/v1/chat/completions`, question)).text();
  t.match(changes, [{ model: 'chat', server: fake.origin, problem: String }]);
});

t.test('what a listener throws is reported, and neither the others nor the request notice', async (t) => {
  const errors: unknown[] = [];
  const heard: unknown[] = [];
  const observations = createObservations((error) => errors.push(error));
  observations.subscribe({
    promptRejected() {
      throw new Error('broken');
    },
  });
  const end = observations.subscribe({ promptRejected: (event) => heard.push(event) });
  const event = { model: 'm', reference: 'p', code: 'prompt_mismatch' } as const;
  observations.promptRejected(event);
  end();
  observations.promptRejected(event);
  t.match(errors, [{ message: 'broken' }, { message: 'broken' }]);
  t.same(heard, [event]);
});
