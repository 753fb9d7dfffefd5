import fc from 'fast-check';
import t from 'tap';
import { type Bucket, flowMs, fullBucket, reserved, spentAt, waitFor } from '../../src/limits/bucket.ts';

t.test('a bucket of 60 a minute', async (t) => {
  const bucket: Bucket = { spent: 60, at: 1000 };
  t.equal(spentAt(fullBucket, 60, 1000), 0, 'is full at the start');
  t.equal(spentAt(bucket, 60, 31_000), 30, 'gets one a second');
  t.equal(spentAt(bucket, 60, 200_000), 0, 'and never holds more than 60');
  t.equal(spentAt(bucket, 60, 500), 60, 'a clock that was set back makes nothing flow');
  t.equal(waitFor(60, 60, 1), 1000);
  t.equal(waitFor(59, 60, 1), 0);
  t.equal(waitFor(90, 60, 10), 40_000, 'debts are paid first');
  t.equal(flowMs(60, 60), 60_000);
});

t.test('an estimate beyond the limit takes the whole bucket, so that it is granted at all', async (t) => {
  t.equal(reserved(120_000, 1000), 1000);
  t.equal(reserved(12.2, 1000), 13);
  t.equal(reserved(0, 1000), 1);
});

t.test(
  'whoever asks whenever, and whatever it costs in the end, no more than the limit a minute passes in the long run',
  async () => {
    const step = fc.record({ pause: fc.nat(90_000), cost: fc.integer({ min: 1, max: 100 }), more: fc.nat(400) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        let bucket = fullBucket;
        let now = 0;
        let passed = 0;
        for (const { pause, cost, more } of steps) {
          now += pause;
          const spent = spentAt(bucket, limit, now);
          const asked = reserved(cost, limit);
          if (waitFor(spent, limit, asked) > 0) continue;
          // What was granted within the limit, before the answer turned out longer.
          if (passed + asked > limit + (now * limit) / 60_000 + 1e-6) return false;
          passed += asked + more;
          bucket = { spent: spent + asked + more, at: now };
        }
        return true;
      }),
    );
  },
);

t.test('the wait that is told is enough, and no longer than needed by more than a millisecond', async () => {
  const numbers = fc.tuple(
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.nat(3_000_000),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(numbers, ([limit, spent, part]) => {
      const cost = reserved(part * limit, limit);
      const wait = waitFor(spent, limit, cost);
      const left = (ms: number) => waitFor(spentAt({ spent, at: 0 }, limit, ms), limit, cost);
      return left(wait) <= 1 && (wait <= 1 || left(wait - 2) > 0);
    }),
  );
});
