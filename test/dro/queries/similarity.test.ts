import fc from 'fast-check';
import t from 'tap';
import { NEAR_DUPLICATE, querySignature, similarity } from '../../../src/dro/queries/similarity.ts';

function compare(a: string, b: string): number {
  return similarity(querySignature(a), querySignature(b));
}

t.test('another opening, order, spelling, tense or one more word does not hide a copy', async (t) => {
  const copies: [string, string][] = [
    ['How do I repair a bicycle tyre?', 'Please tell me the best way to repair a bicycle tyre.'],
    ['How do I repair a bicycle tyre?', 'A bicycle tyre: how can someone repair it?'],
    ['How do I repair a bicycle tyre?', 'Explain repairing bicycle tyres.'],
    ['How do I repair a bicycle tyre?', 'How do I repair a flat bicycle tyre at home?'],
  ];
  for (const [a, b] of copies) t.ok(compare(a, b) >= NEAR_DUPLICATE, `${compare(a, b)}: ${b}`);
  t.equal(compare('Où est le café près du musée ?', 'OU EST LE CAFE PRES DU MUSEE'), 1);
  t.equal(compare('ｆｕｌｌ width letters', 'full width letters'), 1);
});

t.test('the same opening or the same topic does not make a copy', async (t) => {
  const others: [string, string][] = [
    ['How do I repair a bicycle tyre?', 'How do I repair a kitchen clock?'],
    ['Which bus goes to the museum on Sundays?', 'When does the museum sell cheaper tickets?'],
    ['Walk me through restoring my messages.', 'Walk me through getting a mortgage.'],
  ];
  for (const [a, b] of others) t.ok(compare(a, b) < NEAR_DUPLICATE, `${compare(a, b)}: ${b}`);
});

t.test('queries of form words or signs alone are like themselves and nothing else', async (t) => {
  for (const text of ['How do I?', '???', '🚦']) {
    t.equal(compare(text, text), 1);
    t.equal(compare(text, 'Where is the museum?'), 0);
  }
  t.equal(compare('???', '!!!'), 0);
});

t.test('similarity lies from 0 to 1, is 1 for the same and does not depend on the order', async (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'abcdeü ,?'), maxLength: 40 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(text, text, (a, b) => {
        const value = compare(a, b);
        return value >= 0 && value <= 1 && value === compare(b, a) && (a.trim() === '' || compare(a, a) === 1);
      }),
    ),
  );
});
