import { promptLabelOf } from '../policy/decide-plan.ts';
import type { Plan } from '../policy/plan.ts';
import type { DecisionRecord } from '../refusal/decision.ts';
import type { Observations } from '../telemetry/observations.ts';
import { excerptOf } from './excerpt.ts';
import { createTrafficSeries, type TrafficLabels, type TrafficSeries } from './series.ts';

/** An hour: fine enough to see a fault begin, long enough to see what was before. */
const BUCKET_MS = 10_000;
const BUCKETS = columnsIn(60);
/** Of models, prompt versions, variants and tenants together: 1.4 MB with all their columns. */
const MAX_SETS = 100;
/** A screen or two. */
const MAX_DECISIONS = 50;

const NONE = 'none';

/** Columns of the series that so many minutes take. */
export function columnsIn(minutes: number): number {
  return (minutes * 60_000) / BUCKET_MS;
}

export interface RecordedDecision {
  readonly at: number;
  readonly prompt: string;
  readonly record: DecisionRecord;
  /** The beginnings of its texts; null unless the operator has them logged. */
  readonly content: { readonly asked: string; readonly answered: string } | null;
}

export interface Recorder {
  readonly series: TrafficSeries;
  /** The newest first. */
  decisions(): readonly RecordedDecision[];
  close(): void;
}

/** Counts what happens from now on, in memory that does not grow. */
export function createRecorder(observations: Observations, now: () => number = Date.now): Recorder {
  const series = createTrafficSeries({ bucketMs: BUCKET_MS, buckets: BUCKETS, sets: MAX_SETS });
  let decisions: readonly RecordedDecision[] = [];
  const close = observations.subscribe({
    decisionMade({ plan, record, content }) {
      const at = now();
      const labels = labelsOf(plan, plan.tenant);
      series.add(at, labels, 'answers');
      if (record.decision === 'refused') series.add(at, labels, 'refused');
      const excerpt = content && { asked: excerptOf(content.request), answered: excerptOf(content.answer) };
      const decision = { at, prompt: labels.prompt, record, content: excerpt };
      decisions = [decision, ...decisions.slice(0, MAX_DECISIONS - 1)];
    },
    requestFinished({ plan, tenant, result, answer }) {
      const at = now();
      const labels = labelsOf(plan, tenant);
      series.add(at, labels, 'requests');
      if (result === 'failed') series.add(at, labels, 'failed');
      if (answer === null) return;
      series.add(at, labels, 'tokens', answer.usage?.completion_tokens ?? 0);
      series.time(at, 'total', answer.totalMs);
      series.time(at, 'gateway', answer.gatewayMs);
      if (answer.stream && answer.upstreamFirstTokenMs !== null) {
        series.time(at, 'firstToken', answer.upstreamFirstTokenMs);
      }
    },
  });
  return { series, decisions: () => decisions, close };
}

function labelsOf(plan: Plan | null, tenant: string | null): TrafficLabels {
  return {
    model: plan?.entry ?? NONE,
    prompt: plan === null ? NONE : promptLabelOf(plan),
    variant: plan?.variant ?? NONE,
    tenant: tenant ?? NONE,
  };
}
