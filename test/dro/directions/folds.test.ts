import t from 'tap';
import { assignFolds } from '../../../src/dro/directions/folds.ts';

const harmful = Array.from({ length: 46 }, (_, index) => index % 2 === 0 || index > 40);
const count = (folds: readonly number[], fold: number, label: boolean) =>
  folds.filter((other, index) => other === fold && harmful[index] === label).length;

t.test('each fold has its share of both labels', async (t) => {
  const folds = assignFolds(harmful, 4, 1);
  for (const label of [true, false]) {
    const counts = [0, 1, 2, 3].map((fold) => count(folds, fold, label));
    t.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
  }
});

t.test('the seed decides', async (t) => {
  t.same(assignFolds(harmful, 4, 1), assignFolds(harmful, 4, 1));
  t.not(assignFolds(harmful, 4, 1).join(), assignFolds(harmful, 4, 2).join());
});
