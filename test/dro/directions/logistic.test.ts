import fc from 'fast-check';
import t from 'tap';
import { fitLogistic, RIDGE } from '../../../src/dro/directions/logistic.ts';
import { randomValues } from '../../graph/support/gradients.ts';

const rowsOf = (values: Float64Array, width: number) =>
  Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

t.test('finds the weights that made the labels, where there are many rows and no penalty', async (t) => {
  const rows = rowsOf(randomValues(6000, 1, -2, 2), 2);
  const labels = rows.map(([x = 0, y = 0]) => sigmoid(1.5 * x - 0.5 * y + 0.25));
  const { weights, bias } = fitLogistic(rows, labels, 0);
  t.ok(Math.abs((weights[0] ?? 0) - 1.5) < 1e-9, `${weights[0]}`);
  t.ok(Math.abs((weights[1] ?? 0) + 0.5) < 1e-9, `${weights[1]}`);
  t.ok(Math.abs(bias - 0.25) < 1e-9, `${bias}`);
});

t.test('converges to finite weights on labels that a plane separates', async (t) => {
  const rows = rowsOf(Float64Array.of(-3, -2, -1.5, 1.5, 2, 3), 1);
  const { weights, bias } = fitLogistic(rows, [0, 0, 0, 1, 1, 1]);
  t.ok((weights[0] ?? 0) > 1 && (weights[0] ?? 0) < 10, `${weights[0]}`);
  t.ok(Math.abs(bias) < 1e-9, `${bias}`);
});

t.test('is a minimum: no point near by has a smaller loss', async () => {
  const label = fc.double({ min: 0, max: 1, noNaN: true });
  const coordinate = fc.double({ min: -5, max: 5, noNaN: true });
  const row = fc.tuple(coordinate, coordinate, label);
  const property = fc.property(fc.array(row, { minLength: 6, maxLength: 30 }), (data) => {
    // both labels, so that the bias is finite
    const all = [...data, [1, 0, 1] as const, [0, 1, 0] as const];
    const rows = all.map(([x, y]) => Float64Array.of(x, y));
    const labels = all.map(([, , y]) => y);
    const { weights, bias } = fitLogistic(rows, labels);
    const at = lossAt(rows, labels, [...weights, bias]);
    for (let index = 0; index < 3; index++) {
      for (const change of [-1e-3, 1e-3]) {
        const moved = [...weights, bias].map((value, other) => (other === index ? value + change : value));
        if (lossAt(rows, labels, moved) < at) return false;
      }
    }
    return true;
  });
  fc.assert(property, { numRuns: 50 });
});

t.test('does not depend on the scale of the coordinates', async (t) => {
  const values = randomValues(80, 3, -1, 1);
  const labels = Array.from(randomValues(40, 4, 0, 1));
  const small = fitLogistic(rowsOf(values, 2), labels);
  const large = fitLogistic(
    rowsOf(
      values.map((value) => 1000 * value),
      2,
    ),
    labels,
  );
  for (const [index, weight] of small.weights.entries()) {
    const other = 1000 * (large.weights[index] ?? 0);
    t.ok(Math.abs(other - weight) < 1e-8, `${other} is ${weight}`);
  }
});

t.test('gives no weight to a coordinate that never varies', async (t) => {
  const rows = [0, 0, 1, 1].map((x) => Float64Array.of(x, 7));
  const { weights } = fitLogistic(rows, [0, 0.2, 0.8, 1]);
  t.ok((weights[0] ?? 0) > 0);
  t.ok(Number.isFinite(weights[1] ?? Number.NaN));
});

/** mean cross-entropy + ridge / 2 · Σ σ² w², written down a second time. */
function lossAt(rows: readonly Float64Array[], labels: readonly number[], point: readonly number[]): number {
  const [a = 0, b = 0, bias = 0] = point;
  const losses = rows.map(([x = 0, y = 0], index) => {
    const logit = a * x + b * y + bias;
    const label = labels[index] ?? 0;
    return label * Math.log1p(Math.exp(-logit)) + (1 - label) * Math.log1p(Math.exp(logit));
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = (values: readonly number[]) => mean(values.map((value) => (value - mean(values)) ** 2)) || 1;
  const penalty = variance(rows.map(([x = 0]) => x)) * a ** 2 + variance(rows.map(([, y = 0]) => y)) * b ** 2;
  return mean(losses) + (RIDGE / 2) * penalty;
}
