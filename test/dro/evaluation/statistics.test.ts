import t, { type Test } from 'tap';
import {
  cohensKappa,
  countPairs,
  geometricMeanOf,
  mcNemarExact,
  meanOf,
  pairedDifference,
  proportion,
} from '../../../src/dro/evaluation/statistics.ts';
import { recordedStatistics } from './recorded.ts';

const recorded = await recordedStatistics();

function close(t: Test, found: number, wanted: number, what: string, tolerance = 1e-9) {
  t.ok(Math.abs(found - wanted) <= tolerance, `${what}: ${found} is ${wanted}`);
}

t.test("Wilson intervals are scipy's and statsmodels'", async (t) => {
  for (const { count, n, interval } of recorded.proportions) {
    const found = proportion(count, n);
    close(t, found.rate, count / n, `${count}/${n}`);
    close(t, found.interval[0], interval[0], `${count}/${n} low`);
    close(t, found.interval[1], interval[1], `${count}/${n} high`);
  }
  t.strictSame(proportion(0, 0), { count: 0, n: 0, rate: 0, interval: [0, 1] }, 'nothing is known of nothing');
  t.equal(proportion(0, 100).interval[0], 0);
  t.equal(proportion(100, 100).interval[1], 1);
});

t.test("the exact McNemar test is statsmodels', either way round", async (t) => {
  for (const { first, second, pValue } of recorded.pairs) {
    close(t, mcNemarExact(first, second), pValue, `${first} against ${second}`);
    close(t, mcNemarExact(second, first), pValue, `${second} against ${first}`);
  }
});

t.test("Cohen's kappa is statsmodels'; where both always say the same there is none", async (t) => {
  for (const { kappa, ...counts } of recorded.kappas) close(t, cohensKappa(counts) ?? Number.NaN, kappa, 'kappa');
  t.equal(cohensKappa({ both: 7, onlyFirst: 0, onlySecond: 0, neither: 0 }), null);
  t.equal(cohensKappa({ both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 }), null);
});

t.test("means and their normal intervals are scipy's", async (t) => {
  for (const { values, mean, interval } of recorded.means) {
    const found = meanOf(values);
    close(t, found.mean, mean, 'mean');
    close(t, found.interval[0], interval[0], 'low');
    close(t, found.interval[1], interval[1], 'high');
  }
  t.strictSame(meanOf([]), { n: 0, mean: 0, interval: [0, 0] });
  t.strictSame(meanOf([3]), { n: 1, mean: 3, interval: [3, 3] });
  close(t, geometricMeanOf([Math.log(2), Math.log(8)]).mean, 4, 'geometric mean');
});

t.test("the paired difference has Newcombe's interval", async (t) => {
  // Newcombe 1998, Table II: method 10 for the table 36, 12, 2, 0, and its mirror image
  const found = pairedDifference({ both: 36, onlyFirst: 12, onlySecond: 2, neither: 0 });
  close(t, found.difference, 0.2, 'difference');
  close(t, found.interval[0], 0.0569, 'low', 5e-5);
  close(t, found.interval[1], 0.3404, 'high', 5e-5);
  const mirrored = pairedDifference({ both: 36, onlyFirst: 2, onlySecond: 12, neither: 0 });
  close(t, mirrored.interval[0], -found.interval[1], 'mirrored');
  close(t, mirrored.interval[1], -found.interval[0], 'mirrored');
  t.strictSame(pairedDifference({ both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 }).interval, [-1, 1]);
});

t.test('pairs that agree make the interval of their difference narrower, and it never leaves -1 to 1', async (t) => {
  const width = ({ interval: [low, high] }: { interval: readonly [number, number] }) => high - low;
  const alike = pairedDifference({ both: 40, onlyFirst: 10, onlySecond: 0, neither: 50 });
  const apart = pairedDifference({ both: 20, onlyFirst: 30, onlySecond: 20, neither: 30 });
  t.equal(alike.difference.toFixed(3), apart.difference.toFixed(3));
  t.ok(width(alike) < width(apart));
  for (const counts of [
    { both: 0, onlyFirst: 50, onlySecond: 0, neither: 0 },
    { both: 0, onlyFirst: 0, onlySecond: 50, neither: 0 },
    { both: 50, onlyFirst: 0, onlySecond: 0, neither: 0 },
  ]) {
    const [low, high] = pairedDifference(counts).interval;
    t.ok(low >= -1 && high <= 1 && low < high, `${low} to ${high}`);
  }
});

t.test('pairs are counted in four ways', async (t) => {
  const counts = countPairs([
    [true, true],
    [true, false],
    [true, false],
    [false, true],
    [false, false],
  ]);
  t.strictSame(counts, { both: 1, onlyFirst: 2, onlySecond: 1, neither: 1 });
});
