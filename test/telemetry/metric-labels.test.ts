import fc from 'fast-check';
import { Registry } from 'prom-client';
import t from 'tap';
import type { ErrorCode } from '../../src/errors.ts';
import type { Plan } from '../../src/policy/plan.ts';
import type { DecisionKind } from '../../src/refusal/decision.ts';
import { createObservations } from '../../src/telemetry/observations.ts';
import { createRequestMetrics } from '../../src/telemetry/request-metrics.ts';
import { createSeries } from '../../src/telemetry/series.ts';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { parseMetrics, scrape, sumOf } from './support/scrape.ts';

t.test('no more label sets are kept than fit, and none of what comes is lost', async (t) => {
  const values = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 200 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (all, limit) => {
      const series = createSeries(['a', 'b'], limit, () => ({ count: 0 }));
      for (const [a, b] of all) series.of(a, b).count++;
      const entries = [...series.entries()];
      t.ok(entries.length <= limit + 1);
      t.equal(
        entries.reduce((sum, [, { count }]) => sum + count, 0),
        all.length,
      );
      // Whoever was there first keeps its own.
      for (const [labels, { count }] of entries.slice(0, limit)) {
        t.equal(count, all.filter(([a, b]) => `${a}\n${b}` === `${labels['a']}\n${labels['b']}`).length);
      }
    }),
    { numRuns: 50 },
  );
});

t.test('a scrape stays small whatever is configured, promoted and asked over the years', async (t) => {
  const registry = new Registry();
  const listener = createRequestMetrics(
    registry,
    createObservations(() => {}),
  );
  const decided: DecisionKind[] = ['refused', 'complied'];
  const codes: ErrorCode[] = ['internal', 'cancelled'];
  for (let i = 0; i < 20_000; i++) {
    const plan = planOf(`m${i % 997}`, `p@1.0.${i}`, `t${i % 499}`);
    const decision = decided[i % 2] ?? 'unknown';
    listener.decisionMade?.({ plan, record: recordOf(plan, decision), content: null });
    listener.requestFinished?.({
      requestId: `r${i}`,
      method: 'POST',
      route: '/v1/chat/completions',
      status: 200 + (i % 400),
      result: 'ok',
      fault: codes[i % 2] ?? null,
      tenant: plan.tenant,
      plan,
      answer: {
        stream: true,
        usage: null,
        characters: 0,
        decisions: [],
        contents: null,
        firstTokenMs: 1,
        upstreamFirstTokenMs: 1,
        totalMs: 2,
        gatewayMs: 1,
      },
      totalMs: 2,
    });
    listener.backendHealthChanged?.({ model: plan.model, server: `http://s${i}`, problem: 'gone' });
  }
  const samples = parseMetrics(await registry.metrics());
  t.ok(samples.length < 25_000, `${samples.length} lines`);
  t.equal(sumOf(samples, 'preamble_decisions_total', {}), 20_000);
  t.equal(sumOf(samples, 'preamble_requests_total', {}), 20_000);
  t.equal(sumOf(samples, 'preamble_upstream_first_token_seconds_count', {}), 20_000);
  t.ok(sumOf(samples, 'preamble_decisions_total', { tenant: 'other', prompt: 'other' }) > 0);
});

t.test('nothing that a client sends becomes a label, and no secret is in what is printed', async (t) => {
  const fake = await startFakeVllm(t, { apiKey: 'zqxkey' });
  process.env['METRICS_TEST_KEY'] = 'zqxkey';
  const proxy = await buildProxy(t, [{ origin: `${fake.origin}?key=zqxquery` }, fake], {
    backend: { apiKey: { env: 'METRICS_TEST_KEY' } },
  });
  const before = (await scrape(proxy.admin)).length;
  const mark = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `zqx${text}`);
  await fc.assert(
    fc.asyncProperty(mark, async (text) => {
      const hidden = encodeURIComponent(text);
      await proxy.post({ ...question, model: text, user: text });
      await proxy.post({ ...question, user: text, metadata: { text }, messages: [{ role: 'user', content: text }] });
      await proxy.post(text);
      await proxy.post(question, { path: `/v1/${hidden}` });
      await proxy.post(question, {
        path: `/v1/chat/completions?key=${hidden}`,
        headers: { authorization: `Bearer ${hidden}`, 'x-request-id': hidden, 'user-agent': hidden, host: 'zqxhost' },
      });
    }),
    { numRuns: 30 },
  );
  const text = await (await fetch(`${proxy.admin}/metrics`)).text();
  t.notMatch(text, /zqx/);
  const after = parseMetrics(text).length;
  t.ok(after - before < 120, `${after - before} lines came of 150 requests`);
});

function planOf(entry: string, label: string, tenant: string): Plan {
  const softPrompt = {
    label,
    digest: label,
    tokens: 1,
    hiddenSize: 1,
    values: new Float32Array(1),
    stored: { dtype: 'F32', bytes: new Uint8Array(4) },
  } as const;
  return {
    model: entry,
    entry,
    adapter: null,
    backend: 'vllm',
    tenant,
    mode: 'monitor',
    variant: 'stable',
    prompt: { name: 'p', version: '1', position: 'system', softPrompt },
    fallbackText: null,
  };
}

function recordOf({ model, backend, tenant, variant, mode }: Plan, decision: DecisionKind) {
  return {
    event: 'refusal.decision',
    requestId: 'r',
    tenant,
    model,
    backend,
    prompt: null,
    variant,
    mode,
    choice: 0,
    decision,
    detector: 'd',
    rule: null,
    atChar: null,
    stream: false,
    finishReason: null,
    promptTokens: null,
    completionTokens: null,
    firstTokenMs: null,
    totalMs: 1,
    gatewayMs: 1,
    guard: null,
  } as const;
}
