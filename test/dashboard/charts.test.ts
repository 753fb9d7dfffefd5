import t from 'tap';
import { drawCharts, groupNames, groupSums, OTHERS } from '../../src/dashboard/charts.ts';
import { createTrafficSeries, type TrafficLabels, type TrafficSeries } from '../../src/dashboard/series.ts';

const STEP = 10_000;
const labels = (tenant: string, model = 'm'): TrafficLabels => ({
  model,
  prompt: 'p@1.0.0',
  variant: 'stable',
  tenant,
});
const emptySeries = () => createTrafficSeries({ bucketMs: STEP, buckets: 60, sets: 50 });

function ask(series: TrafficSeries, at: number, tenant: string, count: number, refused = 0): void {
  series.add(at, labels(tenant), 'requests', count);
  series.add(at, labels(tenant), 'answers', count);
  if (refused > 0) series.add(at, labels(tenant), 'refused', refused);
}

t.test('each point is the minute up to it, as a share and by the second', async (t) => {
  const series = emptySeries();
  const end = 100 * STEP;
  ask(series, end - 3 * STEP, 'a', 30, 6);
  ask(series, end - STEP, 'a', 30);
  // Nine seconds before the end of the last column: of its minute 51 seconds have passed.
  const now = end + 1_000;
  const { start, lines } = drawCharts(series.view(now, 4, 6), 'tenant', ['a'], now);
  t.equal(start, 97 * STEP);
  t.same(lines.refused, [[20, 20, 10, 10]]);
  t.same(lines.requests, [[0.5, 0.5, 1, Number((60 / 51).toPrecision(4))]]);
});

t.test('where nothing was asked a line has a gap, and no zero', async (t) => {
  const series = emptySeries();
  ask(series, 0, 'a', 1);
  t.same(drawCharts(series.view(20 * STEP, 2, 6), 'tenant', ['a'], 20 * STEP).lines.failed, [[null, null]]);
});

t.test(
  'those that asked most have lines of their own, in an order that does not change when they overtake each other',
  async (t) => {
    const series = emptySeries();
    for (const [index, tenant] of ['a', 'b', 'c', 'd', 'e', 'f', 'g'].entries())
      ask(series, 0, tenant, 10 + index, index);
    const names = groupNames(series.totals(0, 60), 'tenant');
    t.same(names, ['c', 'd', 'e', 'f', 'g', OTHERS]);
    ask(series, 0, 'c', 100);
    t.same(groupNames(series.totals(0, 60), 'tenant'), names);
    const sums = groupSums(series.totals(0, 60), 'tenant', names);
    t.same(
      sums.map(({ requests }) => requests),
      [112, 13, 14, 15, 16, 21],
    );
    t.equal(drawCharts(series.view(0, 1, 6), 'tenant', names, STEP).lines.requests.at(-1)?.[0], 21 / 60);
    t.same(groupNames(series.totals(0, 60), 'model'), ['m'], 'what was not asked for has no line');
  },
);
