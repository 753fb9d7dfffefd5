import fc from 'fast-check';
import t from 'tap';
import { spread } from '../../../src/dro/pictures/spread.ts';

t.test('what lies apart stays, what touches moves equally far', async (t) => {
  t.strictSame(spread([10, 50], 10, 0, 100), [10, 50]);
  t.strictSame(spread([50, 50], 10, 0, 100), [45, 55]);
  t.strictSame(spread([55, 49, 10], 10, 0, 100), [57, 47, 10]);
  t.strictSame(spread([99, 100], 10, 0, 100), [90, 100]);
});

t.test('neighbours are a gap apart and within the limits, in the order of their wishes', async (t) => {
  const positions = fc.array(fc.integer({ min: -20, max: 120 }), { maxLength: 10 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(positions, (wishes) => {
        const places = spread(wishes, 10, 0, 100);
        const order = wishes.map((_, index) => index).sort((a, b) => (wishes[a] ?? 0) - (wishes[b] ?? 0) || a - b);
        const sorted = order.map((index) => places[index] ?? Number.NaN);
        return sorted.every(
          (place, index) =>
            place > -1e-9 && place < 100 + 1e-9 && (index === 0 || place - (sorted[index - 1] ?? 0) > 10 - 1e-9),
        );
      }),
    ),
  );
});
