import t from 'tap';
import { learningRateAt } from '../../../src/dro/training/schedule.ts';

const options = { learningRate: 2, warmup: 4, steps: 100 };

t.test('rises, then stays', async (t) => {
  const at = (step: number) => learningRateAt(step, { ...options, decay: 'constant' });
  t.same([1, 2, 4, 5, 100].map(at), [0.5, 1, 2, 2, 2]);
});

t.test('falls along a cosine to nearly nothing', async (t) => {
  const at = (step: number) => learningRateAt(step, { ...options, warmup: 0, decay: 'cosine' });
  t.equal(at(1), 2);
  t.ok(Math.abs(at(51) - 1) < 1e-12);
  t.ok(at(100) > 0 && at(100) < 0.001);
});
