import t from 'tap';
import { completeBasis } from '../../../src/dro/directions/orthonormal-basis.ts';

const axis = (width: number, entries: Record<number, number>) =>
  Float64Array.from({ length: width }, (_, at) => entries[at] ?? 0);

const cases: [what: string, rows: Float64Array[]][] = [
  ['slanted rows', [axis(7, { 0: 0.6, 3: 0.8 }), axis(7, { 0: -0.8, 3: 0.6 }), axis(7, { 6: -1 })]],
  ['the first axes themselves', [axis(5, { 0: 1 }), axis(5, { 1: 1 })]],
  ['rows that begin with zero', [axis(5, { 4: 1 }), axis(5, { 2: 1 })]],
  ['as many rows as there are dimensions', [axis(2, { 0: 0.6, 1: 0.8 }), axis(2, { 0: 0.8, 1: -0.6 })]],
];

for (const [what, rows] of cases) {
  t.test(`${what}: kept, and completed to an orthonormal basis`, async (t) => {
    const width = rows[0]?.length ?? 0;
    const basis = completeBasis(rows, width);
    const row = (index: number) => basis.subarray(index * width, (index + 1) * width);
    for (const [index, given] of rows.entries()) t.same(row(index), Float32Array.from(given));
    let worst = 0;
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) {
        const product = row(i).reduce((sum, value, at) => sum + value * (row(j)[at] ?? 0), 0);
        worst = Math.max(worst, Math.abs(product - (i === j ? 1 : 0)));
      }
    }
    t.ok(worst < 1e-6, `products of rows are 0 or 1, ${worst.toExponential(1)} apart`);
  });
}
