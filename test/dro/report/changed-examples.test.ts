import t from 'tap';
import { type ChangedExample, isWanted, mostChanged } from '../../../src/dro/report/changed-examples.ts';

const example = (query: string, label: ChangedExample['label'], before: number, after: number): ChangedExample => ({
  query,
  label,
  before: { decision: 'any', refusalFraction: before },
  after: { decision: 'any', refusalFraction: after },
});

t.test('the largest changes first, whichever way they went; of equal ones the unwanted first', async (t) => {
  const examples = [
    example('same', 'harmful', 1, 1),
    example('small', 'harmful', 0.5, 0.6),
    example('flipped', 'harmful', 0, 1),
    example('wrong', 'harmless', 0, 1),
    example('less', 'harmful', 0.9, 0.2),
  ];
  t.strictSame(
    mostChanged(examples, 3).map(({ query }) => query),
    ['wrong', 'flipped', 'less'],
  );
  t.equal(mostChanged(examples, 10).length, 4);
  t.equal(examples[0]?.query, 'same', 'the list itself stays as it was');
});

t.test('more refusals of harmful queries are wanted, fewer of harmless ones', async (t) => {
  t.strictSame(
    [
      example('', 'harmful', 0, 1),
      example('', 'harmful', 1, 0),
      example('', 'harmless', 0, 1),
      example('', 'harmless', 1, 0),
    ].map(isWanted),
    [true, false, false, true],
  );
});
