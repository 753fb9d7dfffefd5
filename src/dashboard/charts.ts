import type { Columns, Duration, Measure, SeriesTotals, SeriesView, Sums } from './series.ts';
import { byMeasure, quantiles } from './series.ts';
import type { Dimension } from './view.ts';

/** More lines than this can't be told apart, whatever their colours and dashes. */
const MAX_LINES = 5;
/** The line of all that have none of their own. */
export const OTHERS = 'all others';
/** Each point stands for the minute up to it: the rates of ten seconds would say more of chance than of the model. */
export const SPAN = 6;

/** Charts with a line for each group. What they show is a quotient, so that it is the same whatever stretch it is taken of. */
export const groupCharts = {
  refused: { title: 'Refused', unit: '% of answers', of: ({ refused, answers }: Sums) => percent(refused, answers) },
  failed: { title: 'Failed', unit: '% of requests', of: ({ failed, requests }: Sums) => percent(failed, requests) },
  requests: { title: 'Requests', unit: 'a second', of: ({ requests }: Sums, seconds: number) => requests / seconds },
  tokens: { title: 'Answered tokens', unit: 'a second', of: ({ tokens }: Sums, seconds: number) => tokens / seconds },
} as const satisfies Record<string, { title: string; unit: string; of(sums: Sums, seconds: number): number | null }>;

/** Charts with a line for each quantile. */
export const latencyCharts = {
  total: { title: 'Whole answers', unit: 'milliseconds' },
  firstToken: { title: 'First token, from the model', unit: 'milliseconds' },
  gateway: { title: 'Added by the gateway', unit: 'milliseconds' },
} as const satisfies Record<Duration, { title: string; unit: string }>;

export type GroupChart = keyof typeof groupCharts;
export const groupChartNames = ['refused', 'failed', 'requests', 'tokens'] as const satisfies GroupChart[];
export const latencyChartNames = ['total', 'firstToken', 'gateway'] as const satisfies Duration[];
export type ChartName = GroupChart | Duration;

/** What is drawn: for each chart its lines, for each line its values from the oldest on. */
export interface ChartData {
  /** Of the first value, milliseconds since 1970. */
  readonly start: number;
  readonly stepMs: number;
  readonly lines: Readonly<Record<ChartName, readonly (readonly (number | null)[])[]>>;
}

/**
 * Whose lines are drawn: those that asked most, in the order in which they were first seen, so that a line keeps its colour while others overtake it.
 * {@link OTHERS} stands last where there are more.
 */
export function groupNames({ sets }: SeriesTotals, by: Dimension): readonly string[] {
  const asked = new Map<string, number>();
  for (const { labels, sums } of sets) {
    asked.set(labels[by], (asked.get(labels[by]) ?? 0) + sums.requests + sums.answers);
  }
  const active = [...asked].filter(([, count]) => count > 0);
  if (active.length <= MAX_LINES) return active.map(([name]) => name);
  const most = new Set(
    active
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, MAX_LINES)
      .map(([name]) => name),
  );
  return [...active.map(([name]) => name).filter((name) => most.has(name)), OTHERS];
}

/** The same groups' sums. */
export function groupSums({ sets }: SeriesTotals, by: Dimension, names: readonly string[]): readonly Sums[] {
  return names.map((name) => {
    const own = sets.filter(({ labels }) => lineOf(labels[by], names) === name);
    const sum = (measure: Measure) => own.reduce((total, { sums }) => total + sums[measure], 0);
    return byMeasure(sum);
  });
}

/** `now` says how much of the last column's time has passed. */
export function drawCharts(view: SeriesView, by: Dimension, names: readonly string[], now: number): ChartData {
  const { start, bucketMs, latency } = view;
  const count = latency.total[0]?.length ?? 0;
  const groups = names.map((name) => view.sets.filter(({ labels }) => lineOf(labels[by], names) === name));
  const secondsOf = (column: number) => {
    const end = start + (column + 1) * bucketMs;
    return (SPAN * bucketMs - Math.max(0, end - now)) / 1000;
  };
  const lines = ({ of }: { of(sums: Sums, seconds: number): number | null }) =>
    groups.map((sets) =>
      Array.from({ length: count }, (_, column) => {
        const sum = (measure: Measure) => sets.reduce((total, { columns }) => total + at(columns, measure, column), 0);
        return rounded(of(byMeasure(sum), secondsOf(column)));
      }),
    );
  return {
    start,
    stepMs: bucketMs,
    lines: {
      refused: lines(groupCharts.refused),
      failed: lines(groupCharts.failed),
      requests: lines(groupCharts.requests),
      tokens: lines(groupCharts.tokens),
      ...latency,
    },
  };
}

/** `50%`, of latencies. */
export const quantileNames: readonly string[] = quantiles.map((share) => `${share * 100}%`);

function lineOf(name: string, names: readonly string[]): string {
  return names.includes(name) ? name : OTHERS;
}

function at(columns: Columns, measure: Measure, column: number): number {
  return columns[measure][column] ?? 0;
}

function percent(count: number, n: number): number | null {
  return n === 0 ? null : (count / n) * 100;
}

/** Four digits are more than a chart shows. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
