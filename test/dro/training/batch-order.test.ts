import t from 'tap';
import { batchOrder } from '../../../src/dro/training/batch-order.ts';

const harmful = [0, 1, 2, 3, 4];
const harmless = [5, 6, 7];
const order = (seed: number) => batchOrder({ harmful, harmless, batch: 4, seed });

t.test('half of each batch is harmful', async (t) => {
  const at = order(1);
  for (let step = 1; step <= 20; step++) t.same(at(step).filter((row) => row < 5).length, 2);
});

t.test('every row has its turn before one comes again', async (t) => {
  const at = order(1);
  const drawn = [1, 2, 3, 4, 5].flatMap((step) => at(step).slice(0, 2));
  t.same(drawn.slice(0, 5).toSorted(), harmful);
  t.same(drawn.slice(5, 10).toSorted(), harmful);
  t.not(drawn.slice(0, 5).join(), drawn.slice(5, 10).join(), 'in another order');
});

t.test('a step is the same whatever was asked before', async (t) => {
  const at = order(3);
  for (let step = 1; step < 9; step++) at(step);
  t.same(order(3)(9), at(9));
  t.same(at(2), order(3)(2));
});

t.test('another seed gives another order', async (t) => {
  const all = (seed: number) => Array.from({ length: 8 }, (_, index) => order(seed)(index + 1)).join();
  t.not(all(1), all(2));
});
