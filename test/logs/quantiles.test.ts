import fc from 'fast-check';
import t from 'tap';
import { createQuantiles, RELATIVE_ERROR } from '../../src/logs/quantiles.ts';
import { wilson } from '../../src/logs/wilson.ts';

t.test('a quantile is within the error that is promised, of any values', async (t) => {
  const values = fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
      const quantiles = createQuantiles();
      for (const value of all) quantiles.add(value);
      const sorted = [...all].sort((a, b) => a - b);
      const exact = sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;
      const error = Math.abs((quantiles.at(q) ?? Number.NaN) - exact) / exact;
      t.ok(error <= RELATIVE_ERROR * 1.0001, `${error}`);
    }),
    { numRuns: 100 },
  );
  t.equal(createQuantiles().at(0.5), null);
});

t.test('what no clock measures does no harm', async (t) => {
  const quantiles = createQuantiles();
  for (const value of [0, Number.MIN_VALUE, 1e300]) quantiles.add(value);
  t.equal(quantiles.count(), 3);
  t.ok(Number.isFinite(quantiles.at(1)));
});

// R: binom::binom.confint(x, n, methods = "wilson")
t.test("Wilson's interval is that of the textbook", async (t) => {
  const close = (found: number, wanted: number) => t.ok(Math.abs(found - wanted) < 1e-6, `${found} is ${wanted}`);
  const some = wilson(5, 100);
  close(some.rate ?? Number.NaN, 0.05);
  close(some.low, 0.0215436);
  close(some.high, 0.1117505);
  const none = wilson(0, 10);
  t.equal(none.low, 0);
  close(none.high, 0.2775328);
  t.same(wilson(0, 0), { rate: null, low: 0, high: 1, n: 0 });
});
