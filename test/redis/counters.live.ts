import fc from 'fast-check';
import t from 'tap';
import type { Grant, LimitCounters, Taken, TakeRequest } from '../../src/limits/counters.ts';
import { createLocalCounters } from '../../src/limits/local-counters.ts';
import { createRedisCounters } from '../../src/redis/counters.ts';
import { connect, startRedis, until } from '../helpers/redis.ts';

const asked: TakeRequest = { tenant: 'web', limits: { requestsPerMinute: 10 }, tokens: 1, leaseMs: 60_000 };

/** Which of two waits that end within the same millisecond is longer is a matter of clocks. */
function told({ granted, states, ...rest }: Taken) {
  const either = states.requests !== undefined && states.tokens !== undefined;
  const limit = 'over' in rest ? rest.over : null;
  const over = either && limit !== null && limit !== 'streams' ? 'requests or tokens' : limit;
  return { granted, over, requests: states.requests?.remaining, tokens: states.tokens?.remaining };
}

t.test('counts as this process alone would, step by step', async (t) => {
  const redis = await startRedis(t);
  const shared = createRedisCounters(await connect(t, { url: redis.url }));
  // Small limits: less than one flows back in while a case runs, so that two clocks say the same.
  const limit = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
  const step = fc.oneof(
    fc.record({ take: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ settle: fc.nat({ max: 20 }), used: fc.option(fc.nat({ max: 9 })) }),
  );
  const limits = fc.record({ requestsPerMinute: limit, tokensPerMinute: limit, streams: limit });
  let tenants = 0;
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 30 }), async (of, steps) => {
      const tenant = `tenant-${tenants++}`;
      const local = createLocalCounters();
      const grants: [Grant, Grant][] = [];
      const set = Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined));
      for (const next of steps) {
        if ('take' in next) {
          const tokens = Math.min(next.take, of.tokensPerMinute ?? next.take);
          const request = { tenant, limits: set, tokens, leaseMs: 60_000 };
          const [here, there] = [await local.take(request), await shared.take(request)];
          t.strictSame(told(there), told(here));
          if (here.granted && there.granted) grants.push([here.grant, there.grant]);
        } else {
          const [grant] = grants.splice(next.settle % Math.max(1, grants.length), 1);
          await grant?.[0].settle(next.used);
          await grant?.[1].settle(next.used);
        }
      }
    }),
    { numRuns: 60 },
  );
});

t.test('several gateways together grant no more than the limit', async (t) => {
  const redis = await startRedis(t);
  const gateways: LimitCounters[] = [];
  for (let count = 0; count < 3; count++) gateways.push(createRedisCounters(await connect(t, { url: redis.url })));
  for (const limits of [{ requestsPerMinute: 10 }, { streams: 10 }]) {
    const tenant = Object.keys(limits).join();
    const takes = Array.from({ length: 60 }, (_, at) => gateways[at % 3]?.take({ ...asked, tenant, limits }));
    const granted = (await Promise.all(takes)).filter((taken) => taken?.granted);
    t.equal(granted.length, 10, tenant);
  }
});

t.test('a step is one command, whatever it looks at, and no key is there for ever', async (t) => {
  const redis = await startRedis(t);
  const counters = createRedisCounters(await connect(t, { url: redis.url }));
  const limits = { requestsPerMinute: 100, tokensPerMinute: 1000, streams: 100 };
  // The first call of each script sends its text.
  const first = await counters.take({ ...asked, limits });
  if (first.granted) await first.grant.settle(2);
  const before = await calls();
  for (let count = 0; count < 20; count++) {
    const taken = await counters.take({ ...asked, limits, tokens: 10 });
    if (taken.granted) await taken.grant.settle(30);
  }
  t.strictSame(await calls(), { evalsha: before.evalsha + 40, eval: before.eval });
  t.strictSame(await redis.client.keys('preamble:limits:*'), ['preamble:limits:web']);
  const left = await redis.client.pttl('preamble:limits:web');
  // Leases end a sixteenth late at the most.
  t.ok(left > 30_000 && left <= 63_750, `${left} ms`);

  async function calls() {
    const stats = await redis.client.info('commandstats');
    const of = (name: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    return { evalsha: of('evalsha'), eval: of('eval') };
  }
});

t.test('a debt outlives the minute, and a stream that nobody gave back its lease', async (t) => {
  const redis = await startRedis(t);
  const counters = createRedisCounters(await connect(t, { url: redis.url }));
  const taken = await counters.take({ ...asked, tenant: 'debtor', limits: { tokensPerMinute: 10 }, tokens: 1 });
  if (taken.granted) await taken.grant.settle(100);
  const left = await redis.client.pttl('preamble:limits:debtor');
  t.ok(left > 500_000 && left <= 600_000, `100 tokens flow in in ten minutes: ${left} ms`);
  const later = await counters.take({ ...asked, tenant: 'debtor', limits: { tokensPerMinute: 10 }, tokens: 1 });
  t.match(later, { granted: false, over: 'tokens', states: { tokens: { remaining: 0 } } });

  const one = { ...asked, tenant: 'lost', limits: { streams: 1 } };
  t.match(await counters.take({ ...one, leaseMs: 200 }), { granted: true });
  t.match(await counters.take(one), { granted: false, over: 'streams' });
  await until(async () => (await counters.take(one)).granted);
  t.equal(await redis.client.hlen('preamble:limits:lost'), 2, 'what is over is cleared away');
});

t.test('many answers under way are a few numbers, each counted once and given back once', async (t) => {
  const redis = await startRedis(t);
  const counters = createRedisCounters(await connect(t, { url: redis.url }));
  const crowd = { ...asked, tenant: 'crowd', limits: { streams: 500 } };
  const taken: Taken[] = [];
  while (taken.length < 500) taken.push(...(await Promise.all(Array.from({ length: 50 }, () => counters.take(crowd)))));
  t.ok(taken.every(({ granted }) => granted));
  t.match(await counters.take(crowd), { granted: false, over: 'streams' });
  const fields = await redis.client.hlen('preamble:limits:crowd');
  t.ok(fields <= 20, `${fields} fields, not one for each`);
  const [first, ...others] = taken;
  if (first?.granted) await first.grant.settle(null);
  const [next, over] = [await counters.take(crowd), await counters.take(crowd)];
  t.strictSame([next.granted, over.granted], [true, false]);
  for (const one of [...others, next]) if (one.granted) await one.grant.settle(null);
  t.equal(await redis.client.hlen('preamble:limits:crowd'), 1, 'none is left');

  const small = { ...asked, tenant: 'small', limits: { streams: 2 } };
  const before = await counters.take(small);
  await redis.client.flushall();
  t.match([await counters.take(small), await counters.take(small)], [{ granted: true }, { granted: true }]);
  if (before.granted) await before.grant.settle(null);
  t.match(await counters.take(small), { granted: false }, 'what was counted before it was emptied makes no room');
});

t.test('a Redis that restarts, and one that holds something else: no wrong answer', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  const counters = createRedisCounters(connection);
  t.match(await counters.take(asked), { granted: true });
  await redis.client.script('FLUSH');
  t.match(await counters.take(asked), { granted: true, states: { requests: { remaining: 8 } } });
  const ofTokens = { ...asked, tenant: 'tokens', limits: { tokensPerMinute: 10 }, tokens: 5 };
  const taken = await counters.take(ofTokens);
  await redis.client.del('preamble:limits:tokens');
  if (taken.granted) await taken.grant.settle(0);
  t.match(
    await counters.take(ofTokens),
    { states: { tokens: { remaining: 5 } } },
    'nothing is given back that was not taken',
  );
  await redis.client.set('preamble:limits:other', 'not a hash');
  await t.rejects(counters.take({ ...asked, tenant: 'other' }), { code: 'redis_unavailable' });
  t.equal(connection.state().status, 'connected', 'one broken key is not the end of Redis');
});
