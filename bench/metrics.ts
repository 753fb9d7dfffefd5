import { Counter, Histogram, Registry } from 'prom-client';
import type { Plan } from '../src/policy/plan.ts';
import type { AnswerSummary } from '../src/telemetry/observations.ts';
import { createObservations } from '../src/telemetry/observations.ts';
import { observeRequest } from '../src/telemetry/observed-request.ts';
import { createRequestMetrics } from '../src/telemetry/request-metrics.ts';
import { formatSpread, spread } from './statistics.ts';
import { formatTable } from './table.ts';

const ROUNDS = 9;
const REQUESTS = 200_000;

const softPrompt = {
  label: 'a/b@1.0.0',
  digest: 'd',
  tokens: 1,
  hiddenSize: 1,
  values: new Float32Array(1),
  stored: { dtype: 'F32', bytes: new Uint8Array(4) },
} as const;
const plan: Plan = {
  model: 'm',
  entry: 'm',
  adapter: null,
  backend: 'vllm',
  tenant: 't',
  mode: 'monitor',
  variant: 'stable',
  prompt: { name: 'a/b', version: '1.0.0', position: 'system', softPrompt },
  fallbackText: null,
};
const record = {
  event: 'refusal.decision',
  requestId: 'r',
  tenant: 't',
  model: 'm',
  backend: 'vllm',
  prompt: null,
  variant: 'stable',
  mode: 'monitor',
  choice: 0,
  decision: 'complied',
  detector: 'd',
  rule: null,
  atChar: null,
  stream: true,
  finishReason: 'stop',
  promptTokens: 5,
  completionTokens: 3,
  firstTokenMs: 12,
  totalMs: 900,
  gatewayMs: 0.4,
  guard: null,
} as const;
const answer: AnswerSummary = {
  stream: true,
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
  characters: 3,
  decisions: [record],
  contents: null,
  firstTokenMs: 12,
  upstreamFirstTokenMs: 10,
  totalMs: 900,
  gatewayMs: 0.4,
};
const closed = {
  requestId: 'r',
  method: 'POST',
  route: '/v1/chat/completions',
  tenant: 't',
  totalMs: 900,
  status: 200,
  complete: true,
};

/** Nanoseconds a request. */
export async function run({ json }: { json: boolean }): Promise<void> {
  const observations = createObservations((error) => {
    throw error;
  });
  const metrics = createRequestMetrics(new Registry(), observations);
  const request = () => {
    const observed = observeRequest(observations, () => {});
    observed.planned(plan);
    observed.asked();
    observed.answered(answer);
    observed.closed(closed);
  };
  const library = countingByItself();
  const samples: Record<'events' | 'metrics' | 'library', number[]> = { events: [], metrics: [], library: [] };
  for (let round = 0; round < ROUNDS; round++) {
    samples.events.push(nanoseconds(request));
    const end = observations.subscribe(metrics);
    samples.metrics.push(nanoseconds(request));
    end();
    samples.library.push(nanoseconds(library));
  }
  const figures = {
    events: spread(samples.events),
    withMetrics: spread(samples.metrics),
    promClientAlone: spread(samples.library),
  };
  if (json) {
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
    return;
  }
  const rows = Object.entries(figures).map(([name, figure]) => [name, formatSpread(figure)]);
  process.stdout.write(formatTable([['ns a request', 'median (middle half)'], ...rows]));
}

function nanoseconds(work: () => void): number {
  const since = performance.now();
  for (let i = 0; i < REQUESTS; i++) work();
  return ((performance.now() - since) / REQUESTS) * 1e6;
}

/** The same numbers, each counted by prom-client, with its handles looked up beforehand. */
function countingByItself(): () => void {
  const registers = [new Registry()];
  const requests = new Counter({ name: 'a', help: 'a', labelNames: ['model', 'route', 'status', 'result'], registers });
  const decisions = new Counter({
    name: 'b',
    help: 'b',
    labelNames: ['model', 'prompt', 'variant', 'tenant', 'decision'],
    registers,
  });
  const tokens = new Counter({ name: 'c', help: 'c', labelNames: ['model', 'variant', 'kind'], registers });
  const durations = ['d', 'e', 'f'].map(
    (name) => new Histogram({ name, help: name, labelNames: ['model', 'variant'], registers }),
  );
  const request = requests.labels('m', '/v1/chat/completions', '200', 'ok');
  const decision = decisions.labels('m', 'a/b@1.0.0', 'stable', 't', 'complied');
  const counted = ['prompt', 'completion'].map((kind) => tokens.labels('m', 'stable', kind));
  const observed = durations.map((histogram) => histogram.labels('m', 'stable'));
  return () => {
    request.inc();
    decision.inc();
    for (const one of counted) one.inc(3);
    for (const one of observed) one.observe(0.9);
  };
}
