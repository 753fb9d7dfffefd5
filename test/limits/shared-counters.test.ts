import t from 'tap';
import type { LimitCounters } from '../../src/limits/counters.ts';
import { createLocalCounters } from '../../src/limits/local-counters.ts';
import { surviveLoss } from '../../src/limits/shared-counters.ts';

const asked = { tenant: 'web', limits: { streams: 1 }, tokens: 1, leaseMs: 1000 };

function setUp(onUnavailable: 'local' | 'refuse') {
  const store = { gone: false };
  const inner = createLocalCounters();
  const shared: LimitCounters = {
    async take(request) {
      if (store.gone) throw new Error('connect ECONNREFUSED');
      return await inner.take(request);
    },
  };
  const lines: unknown[] = [];
  const logger = { warn: (line: unknown) => lines.push(line), info: (line: unknown) => lines.push(line) };
  return { store, lines, counters: surviveLoss(shared, { onUnavailable, local: createLocalCounters(), logger }) };
}

t.test('local: this process counts for itself, and each grant is settled where it was taken', async (t) => {
  const { store, lines, counters } = setUp('local');
  const together = await counters.take(asked);
  store.gone = true;
  const alone = await counters.take(asked);
  t.match(alone, { granted: true });
  t.match(await counters.take(asked), { granted: false }, 'limits hold without the store');
  store.gone = false;
  t.match(await counters.take(asked), { granted: false }, 'the store still knows of the first');
  if (alone.granted) await alone.grant.settle(0);
  t.match(await counters.take(asked), { granted: false });
  if (together.granted) await together.grant.settle(0);
  t.match(await counters.take(asked), { granted: true });
  t.match(lines, [{ event: 'limits.unavailable', onUnavailable: 'local' }, { event: 'limits.shared' }]);
  t.equal(lines.length, 2, 'one line when it goes and one when it is back');
});

t.test('refuse: 503 until the store is back', async (t) => {
  const { store, counters } = setUp('refuse');
  store.gone = true;
  await t.rejects(counters.take(asked), { code: 'limits_unavailable', status: 503 });
  store.gone = false;
  t.match(await counters.take(asked), { granted: true });
});
