import fc from 'fast-check';
import t from 'tap';
import { reconnectDelay } from '../../src/redis/backoff.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

t.test('delays double, are spread over half of themselves, and end at 5 s', async (t) => {
  t.strictSame(
    [1, 2, 3, 6, 7, 50].map((attempts) => reconnectDelay(attempts, 0)),
    [50, 100, 200, 1600, 2500, 2500],
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), random, (attempts, drawn) => {
      const delay = reconnectDelay(attempts, drawn);
      const least = reconnectDelay(attempts, 0);
      return Number.isInteger(delay) && delay >= 50 && delay <= 5_000 && delay >= least && delay <= 2 * least;
    }),
  );
  t.ok(new Set(Array.from({ length: 20 }, () => reconnectDelay(9))).size > 10, 'gateways do not come back together');
});
