import t from 'tap';
import { principalComponents } from '../../../src/dro/directions/principal-components.ts';
import { PreambleError } from '../../../src/errors.ts';
import { randomValues } from '../../graph/support/gradients.ts';

/** Rows that vary by `deviations[i]` along the i-th unit vector, in two points each: their covariance is diagonal. */
function cross(deviations: readonly number[], width: number, offset = 0): Float32Array {
  const rows = deviations.flatMap((deviation, index) =>
    [-1, 1].map((sign) => {
      const row = new Float32Array(width).fill(offset);
      row[index] = offset + sign * deviation;
      return row;
    }),
  );
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

const unit = (index: number, width: number) => Float64Array.from({ length: width }, (_, at) => (at === index ? 1 : 0));

const distance = (a: Float64Array | undefined, b: Float64Array) =>
  Math.hypot(...b.map((value, index) => value - (a?.[index] ?? Number.NaN)));

t.test('finds the axes of largest variance, in order', async (t) => {
  const { rows, explainedVariance } = principalComponents([cross([1, 5, 3, 4, 2], 8)], 8, 3);
  for (const [index, axis] of [1, 3, 2].entries()) {
    t.ok(distance(rows[index], unit(axis, 8)) < 1e-9, `component ${index + 1} is axis ${axis}`);
  }
  const total = 1 + 25 + 9 + 16 + 4;
  for (const [index, square] of [25, 16, 9].entries()) {
    t.ok(Math.abs((explainedVariance[index] ?? 0) - square / total) < 1e-9);
  }
});

t.test('finds both of two components with the same variance', async (t) => {
  const { rows, explainedVariance } = principalComponents([cross([2, 2, 1, 0.5], 6)], 6, 2);
  t.ok(Math.abs((explainedVariance[0] ?? 0) - (explainedVariance[1] ?? 1)) < 1e-9);
  for (const row of rows) t.ok(Math.abs(Math.hypot(row[0] ?? 0, row[1] ?? 0) - 1) < 1e-9, 'within their plane');
});

t.test('a mean a thousand times the spread costs no accuracy', async (t) => {
  const { rows, mean } = principalComponents([cross([1, 4, 2], 5, 4096)], 5, 2);
  t.ok(distance(rows[0], unit(1, 5)) < 1e-9);
  t.same(mean, new Float64Array(5).fill(4096));
});

t.test('rows may come in several matrices', async (t) => {
  const whole = cross([1, 5, 3], 4);
  const parts = [whole.subarray(0, 8), whole.subarray(8)];
  t.same(principalComponents(parts, 4, 2).rows, principalComponents([whole], 4, 2).rows);
});

// fewer rows than values, where the search runs out of space, and so many that it ends long before
for (const [width, count] of [
  [40, 25],
  [60, 200],
] as const) {
  t.test(`components of ${count} rows of noise are orthonormal eigenvectors, sign fixed`, async (t) => {
    const states = Float32Array.from(randomValues(width * count, 5, -1, 1));
    const { rows, mean, explainedVariance } = principalComponents([states], width, 4);
    for (const [i, row] of rows.entries()) {
      for (const [j, other] of rows.entries()) {
        const product = row.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
        t.ok(Math.abs(product - (i === j ? 1 : 0)) < 1e-12);
      }
      const largest = row.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
      t.ok(largest > 0, 'its largest entry is positive');
      // C v = λ v, with the covariance multiplied out
      const product = new Float64Array(width);
      for (let start = 0; start < states.length; start += width) {
        const centred = mean.map((value, at) => (states[start + at] ?? 0) - value);
        const along = centred.reduce((sum, value, at) => sum + value * (row[at] ?? 0), 0);
        for (let at = 0; at < width; at++)
          product[at] = (product[at] ?? 0) + (along * (centred[at] ?? 0)) / (count - 1);
      }
      const value = Math.hypot(...product);
      t.ok(
        distance(
          product,
          row.map((entry) => value * entry),
        ) <
          1e-9 * value,
        `component ${i + 1}`,
      );
      t.ok((explainedVariance[i] ?? 0) <= (explainedVariance[i - 1] ?? 1));
    }
  });
}

t.test('states that vary in too few dimensions are refused', async (t) => {
  const thrown = (states: Float32Array) => {
    try {
      principalComponents([states], 6, 4);
    } catch (error) {
      return error instanceof PreambleError ? error : null;
    }
    return null;
  };
  t.equal(thrown(cross([3, 2, 1], 6))?.code, 'anchors_invalid');
  t.match(thrown(cross([3, 2, 1], 6))?.message, /vary in 3 dimensions only, 4 are needed/);
  t.match(thrown(new Float32Array(60).fill(1))?.message, /vary in 0 dimensions/);
  t.match(thrown(cross([3], 6))?.message, /vary in 1 dimensions/, 'fewer rows than components');
});
