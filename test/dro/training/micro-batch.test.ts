import t from 'tap';
import { evenMicroBatch } from '../../../src/dro/training/micro-batch.ts';

t.test('micro-batches are as even as they can be, and none is larger than asked for', (t) => {
  t.equal(evenMicroBatch(50, 20), 17, 'three of 17 rather than two of 20 and one of 10 that is filled up');
  t.equal(evenMicroBatch(50, 25), 25);
  t.equal(evenMicroBatch(40, 20), 20);
  t.equal(evenMicroBatch(4, 20), 4);
  t.equal(evenMicroBatch(7, 1), 1);
  t.end();
});
