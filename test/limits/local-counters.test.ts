import t from 'tap';
import { createLocalCounters } from '../../src/limits/local-counters.ts';
import type { TenantLimits } from '../../src/policy/snapshot.ts';

function setUp() {
  const clock = { now: 5_000_000 };
  const counters = createLocalCounters(() => clock.now);
  const take = (limits: TenantLimits, tokens = 1, tenant = 'web') =>
    counters.take({ tenant, limits, tokens, leaseMs: 60_000 });
  return { clock, take };
}

t.test('requests: so many, then one at a time as the minute goes by', async (t) => {
  const { clock, take } = setUp();
  const limits = { requestsPerMinute: 3 };
  t.match(await take(limits), { granted: true, states: { requests: { limit: 3, remaining: 2, resetMs: 20_000 } } });
  await take(limits);
  t.match(await take(limits), { granted: true, states: { requests: { remaining: 0, resetMs: 60_000 } } });
  t.match(await take(limits), {
    granted: false,
    over: 'requests',
    retryMs: 20_000,
    states: { requests: { remaining: 0 } },
  });
  t.match(await take(limits, 1, 'other'), { granted: true }, 'tenants are counted apart');
  clock.now += 19_999;
  t.match(await take(limits), { granted: false, retryMs: 1 });
  clock.now += 1;
  t.match(await take(limits), { granted: true });
  t.match(await take(limits), { granted: false });
});

t.test('tokens: set aside at the start, settled at the end, and debts are paid', async (t) => {
  const { clock, take } = setUp();
  const limits = { tokensPerMinute: 600 };
  const first = await take(limits, 500);
  t.match(first, { granted: true, states: { tokens: { limit: 600, remaining: 100, resetMs: 50_000 } } });
  t.match(await take(limits, 200), { granted: false, over: 'tokens', retryMs: 10_000 });
  if (first.granted) await first.grant.settle(50);
  const second = await take(limits, 200);
  t.match(second, { granted: true, states: { tokens: { remaining: 350 } } }, 'what was not used is given back');
  if (second.granted) await second.grant.settle(1150);
  t.match(
    await take(limits, 1),
    { granted: false, retryMs: 60_100, states: { tokens: { remaining: 0 } } },
    '600 in debt',
  );
  clock.now += 60_100;
  const third = await take(limits, 1);
  t.match(third, { granted: true });
  if (third.granted) await third.grant.settle(null);
  t.match(await take(limits, 1), { granted: false }, 'null leaves what was set aside');
  clock.now += 3_600_000;
  t.match(await take(limits, 1), { granted: true, states: { tokens: { remaining: 599 } } }, 'no credit piles up');
});

t.test('streams: so many at a time', async (t) => {
  const { take } = setUp();
  const limits = { streams: 2 };
  const first = await take(limits);
  await take(limits);
  const third = await take(limits);
  t.match(third, { granted: false, over: 'streams' });
  t.ok(!third.granted && third.retryMs > 0);
  if (first.granted) await first.grant.settle(0);
  t.match(await take(limits), { granted: true });
  t.match(await take(limits), { granted: false });
});

t.test('what one limit refuses, no other counts', async (t) => {
  const { take } = setUp();
  const limits = { requestsPerMinute: 10, tokensPerMinute: 100, streams: 5 };
  t.match(await take(limits, 60), { granted: true });
  for (let i = 0; i < 20; i++) t.match(await take(limits, 60), { granted: false, over: 'tokens' });
  t.match(await take(limits, 40), { granted: true, states: { requests: { remaining: 8 }, tokens: { remaining: 0 } } });
});

t.test('a limit that is changed holds at once for what was used before', async (t) => {
  const { take } = setUp();
  for (let i = 0; i < 5; i++) await take({ requestsPerMinute: 10 });
  t.match(await take({ requestsPerMinute: 4 }), { granted: false });
  t.match(await take({ requestsPerMinute: 100 }), { granted: true, states: { requests: { remaining: 94 } } });
});
