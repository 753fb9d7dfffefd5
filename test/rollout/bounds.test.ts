import t from 'tap';
import { logGamma, rateBounds } from '../../src/rollout/bounds.ts';
import { randomNumbers } from './simulation.ts';

t.test('logarithms of factorials', async (t) => {
  let sum = 0;
  for (let n = 1; n <= 170; n++) {
    sum += Math.log(n);
    t.ok(Math.abs(logGamma(n + 1) - sum) < 1e-12 * Math.max(1, sum));
  }
  t.ok(Math.abs(logGamma(0.5) - Math.log(Math.PI) / 2) < 1e-13);
});

t.test('bounds hold at every look: they miss the rate in less than 5% of series, looked at all along', async (t) => {
  const random = randomNumbers(3);
  let missed = 0;
  const series = 300;
  for (let index = 0; index < series; index++) {
    let k = 0;
    for (let n = 1; n <= 400; n++) {
      if (random() < 0.1) k++;
      const { low, high } = rateBounds(k, n, 0.05);
      if (low > 0.1 || high < 0.1) {
        missed++;
        break;
      }
    }
  }
  t.comment(`${missed} of ${series}`);
  t.ok(missed / series < 0.05);
});

t.test('they close in on the rate, and know nothing of nothing', async (t) => {
  t.strictSame(rateBounds(0, 0, 0.05), { low: 0, high: 1 });
  const wide = rateBounds(5, 100, 0.05);
  const narrow = rateBounds(500, 10_000, 0.05);
  t.ok(wide.low < narrow.low && narrow.low < 0.05 && 0.05 < narrow.high && narrow.high < wide.high);
  t.equal(rateBounds(0, 100, 0.05).low, 0);
  t.equal(rateBounds(100, 100, 0.05).high, 1);
});
