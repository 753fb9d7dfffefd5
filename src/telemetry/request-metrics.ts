import { Counter, Gauge, type Registry } from 'prom-client';
import type { Plan } from '../policy/plan.ts';
import type { DecisionKind } from '../refusal/decision.ts';
import { createDurations } from './durations.ts';
import { FoldedHistogram } from './folded-histogram.ts';
import type { ObservationListener, Observations, RequestFinished } from './observations.ts';
import { createSeries, type Series } from './series.ts';

/** Of models, prompt versions, variants and tenants together: with six decisions each, a scrape of 0.7 MB. */
const MAX_DECISION_SETS = 1_000;
/** Of models and variants together: each has a dozen lines a histogram. */
const MAX_ANSWER_SETS = 200;
/** Of models, routes, statuses and results together. */
const MAX_REQUEST_SETS = 1_000;
const MAX_HEALTH_SETS = 1_000;
/** Of models, tenants, actions and the guard's codes together. */
const MAX_VERDICT_SETS = 1_000;

/** Seconds. The gateway's own part is a fraction of a millisecond; beyond a hundred something is wrong. */
const GATEWAY_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
/** Seconds: a short prompt on a free server takes some hundredths, a long one in a queue half a minute. */
const FIRST_TOKEN_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Seconds: up to the longest time that an answer may take by default. */
const TOTAL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

const NONE = 'none';

type DecisionCounts = Record<DecisionKind, number>;

interface AnswerNumbers {
  promptTokens: number;
  completionTokens: number;
}

/** What is counted as it happens: requests, decisions, durations, tokens, changes of health. Returns who listens. */
export function createRequestMetrics(registry: Registry, observations: Observations): ObservationListener {
  const requests = createSeries(['model', 'route', 'status', 'result'], MAX_REQUEST_SETS, counter);
  const faults = createSeries(['model', 'code'], MAX_REQUEST_SETS, counter);
  const decisions = createSeries(['model', 'prompt', 'variant', 'tenant'], MAX_DECISION_SETS, noDecisions);
  const verdicts = createSeries(['model', 'tenant', 'action', 'reason'], MAX_VERDICT_SETS, counter);
  const answered = ['model', 'variant'];
  const tokens = createSeries(answered, MAX_ANSWER_SETS, noTokens);
  const total = createSeries(answered, MAX_ANSWER_SETS, () => createDurations(TOTAL_BUCKETS));
  const firstToken = createSeries(answered, MAX_ANSWER_SETS, () => createDurations(FIRST_TOKEN_BUCKETS));
  const gateway = createSeries(['model'], MAX_ANSWER_SETS, () => createDurations(GATEWAY_BUCKETS));
  const ejections = createSeries(['model', 'server'], MAX_HEALTH_SETS, counter);
  const rejections = createSeries(['model', 'code'], MAX_HEALTH_SETS, counter);
  const registers = [registry];

  new Gauge({
    name: 'preamble_requests_in_flight',
    help: 'Requests that have come and not ended.',
    registers,
    collect() {
      this.set(observations.inFlight());
    },
  });
  countSeries(registry, 'preamble_requests_total', 'Requests that have ended, by what came of them.', requests);
  countSeries(registry, 'preamble_request_faults_total', 'Errors that requests or their streams ended with.', faults);
  new Counter({
    name: 'preamble_decisions_total',
    help: 'Answers by what became of them, one a choice.',
    labelNames: ['model', 'prompt', 'variant', 'tenant', 'decision'],
    registers,
    collect() {
      this.reset();
      for (const [labels, counts] of decisions.entries()) {
        for (const [decision, count] of Object.entries(counts)) this.inc({ ...labels, decision }, count);
      }
    },
  });
  countSeries(registry, 'preamble_guard_verdicts_total', 'What the guard made of answers, one a choice.', verdicts);
  new Counter({
    name: 'preamble_tokens_total',
    help: 'Tokens of prompts and of answers, as the model counted them.',
    labelNames: ['model', 'variant', 'kind'],
    registers,
    collect() {
      this.reset();
      for (const [labels, { promptTokens, completionTokens }] of tokens.entries()) {
        this.inc({ ...labels, kind: 'prompt' }, promptTokens);
        this.inc({ ...labels, kind: 'completion' }, completionTokens);
      }
    },
  });
  new FoldedHistogram({
    name: 'preamble_answer_duration_seconds',
    help: "From a request's arrival to the end of its answer.",
    buckets: TOTAL_BUCKETS,
    series: total,
    registry,
  });
  new FoldedHistogram({
    name: 'preamble_upstream_first_token_seconds',
    help: 'What streamed answers waited for the model until their first piece came.',
    buckets: FIRST_TOKEN_BUCKETS,
    series: firstToken,
    registry,
  });
  new FoldedHistogram({
    name: 'preamble_gateway_duration_seconds',
    help: 'What the gateway itself took of an answer.',
    buckets: GATEWAY_BUCKETS,
    series: gateway,
    registry,
  });
  countSeries(
    registry,
    'preamble_upstream_ejections_total',
    'Times that a model server got no more requests.',
    ejections,
  );
  countSeries(registry, 'preamble_prompt_rejections_total', 'Prompts that were not taken over, by why.', rejections);

  return {
    decisionMade({ plan, record }) {
      decisions.of(plan.entry, promptOf(plan), plan.variant, plan.tenant)[record.decision]++;
      const { guard } = record;
      if (guard !== null) verdicts.of(plan.entry, plan.tenant, guard.action, guard.reason ?? NONE).count++;
    },
    requestFinished({ plan, route, status, result, fault, answer }: RequestFinished) {
      const model = plan?.entry ?? NONE;
      requests.of(model, route ?? NONE, String(status), result).count++;
      if (fault !== null) faults.of(model, fault).count++;
      if (plan === null || answer === null) return;
      const counted = tokens.of(model, plan.variant);
      counted.promptTokens += answer.usage?.prompt_tokens ?? 0;
      counted.completionTokens += answer.usage?.completion_tokens ?? 0;
      total.of(model, plan.variant).observe(answer.totalMs / 1000);
      gateway.of(model).observe(answer.gatewayMs / 1000);
      if (!answer.stream || answer.upstreamFirstTokenMs === null) return;
      firstToken.of(model, plan.variant).observe(answer.upstreamFirstTokenMs / 1000);
    },
    backendHealthChanged({ model, server, problem }) {
      if (problem !== null) ejections.of(model, serverLabel(server)).count++;
    },
    promptRejected({ model, code }) {
      rejections.of(model, code).count++;
    },
  };
}

/** Without what may follow its path: people put keys there. */
export function serverLabel(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, '');
}

function countSeries(registry: Registry, name: string, help: string, series: Series<{ count: number }>): void {
  new Counter({
    name,
    help,
    labelNames: series.names,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, { count }] of series.entries()) this.inc(labels, count);
    },
  });
}

function counter() {
  return { count: 0 };
}

function noDecisions(): DecisionCounts {
  return { refused: 0, partial: 0, complied: 0, empty: 0, filtered: 0, unknown: 0 };
}

function noTokens(): AnswerNumbers {
  return { promptTokens: 0, completionTokens: 0 };
}

/** As answers' headers name it; the text that stood in for a prompt is told by the variant. */
function promptOf({ prompt }: Plan): string {
  return prompt === null ? NONE : prompt.softPrompt.label;
}
