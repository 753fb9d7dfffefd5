import t from 'tap';
import { createTrafficSeries, type TrafficLabels } from '../../src/dashboard/series.ts';

const labels = (tenant: string): TrafficLabels => ({ model: 'm', prompt: 'p@1.0.0', variant: 'stable', tenant });
const options = { bucketMs: 1000, buckets: 4, sets: 2 };

t.test('what is counted stands in the column of its time, and is gone when the ring has come round', async (t) => {
  const series = createTrafficSeries(options);
  series.add(10_000, labels('a'), 'requests');
  series.add(10_900, labels('a'), 'requests');
  series.add(12_000, labels('a'), 'refused', 3);
  const view = series.view(12_500);
  t.equal(view.start, 9_000);
  t.same(view.sets[0]?.columns.requests, [0, 2, 0, 0]);
  t.same(view.sets[0]?.columns.refused, [0, 0, 0, 3]);
  t.same(series.view(14_000).sets[0]?.columns.requests, [0, 0, 0, 0]);
  t.same(series.view(99_000).sets[0]?.columns.refused, [0, 0, 0, 0]);
});

t.test('sets of labels beyond the limit are counted together', async (t) => {
  const series = createTrafficSeries(options);
  for (let tenant = 0; tenant < 1000; tenant++) series.add(0, labels(`t${tenant}`), 'requests');
  const { sets } = series.totals(0, 4);
  t.same(
    sets.map(({ labels: { tenant }, sums }) => [tenant, sums.requests]),
    [
      ['t0', 1],
      ['t1', 1],
      ['other', 998],
    ],
  );
});

t.test('quantiles are right to a tenth, and null where nothing was measured', async (t) => {
  const series = createTrafficSeries(options);
  t.same(series.totals(0, 4).latency.total, [null, null, null]);
  for (let ms = 1; ms <= 1000; ms++) series.time(0, 'total', ms);
  const found = series.totals(0, 4).latency.total;
  for (const [index, wanted] of [500, 950, 990].entries()) {
    const value = found[index] ?? 0;
    t.ok(Math.abs(value / wanted - 1) < 0.1, `${value} for ${wanted}`);
  }
});

t.test('a clock that is set back loses nothing', async (t) => {
  const series = createTrafficSeries(options);
  series.add(10_000, labels('a'), 'requests');
  series.add(2_000, labels('a'), 'requests');
  t.equal(series.totals(2_000, 1).sets[0]?.sums.requests, 2);
});

t.test('columns that are asked for together hold what came in all of them', async (t) => {
  const series = createTrafficSeries(options);
  for (const [second, ms] of [10, 20, 30, 40].entries()) {
    series.add(second * 1000, labels('a'), 'requests', second + 1);
    series.time(second * 1000, 'total', ms);
  }
  const view = series.view(3_000, 2, 2);
  t.equal(view.start, 2_000);
  t.same(view.sets[0]?.columns.requests, [5, 7]);
  // The upper of two, to a tenth.
  const [, highest = []] = view.latency.total;
  for (const [index, wanted] of [30, 40].entries()) t.ok(Math.abs((highest[index] ?? 0) / wanted - 1) < 0.1);
  t.same(series.view(3_000, 4, 3).sets[0]?.columns.requests, [1, 3, 6, 9], 'of no more than there are');
});
