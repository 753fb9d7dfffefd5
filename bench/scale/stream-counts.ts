import { createRedisCounters } from '../../src/redis/counters.ts';
import { redisKeys } from '../../src/redis/keys.ts';
import { type Spread, spread } from '../statistics.ts';
import type { BenchRedis } from './redis.ts';

/** Answers of one tenant that are under way. */
const UNDER_WAY = [0, 100, 1_000, 10_000] as const;
const ROUNDS = 5;
const TAKES = 40;
const FAR = 1e9;
const LEASE_MS = 3_600_000;
const TENANT = 'crowd';
const AT_A_TIME = 100;

export interface StreamCost {
  readonly underWay: number;
  /** Of Redis, to count one request and its end; by its own measure of the scripts. */
  readonly microseconds: Spread;
}

/** What counting a request costs Redis when many answers of its tenant are under way: one key, so one core. */
export async function measureStreamCounts({ client }: BenchRedis): Promise<StreamCost[]> {
  const keys = redisKeys('bench:');
  // Without the limits of time that a gateway has: what is measured is processor time.
  const counters = createRedisCounters({ keys, run: (operation) => operation(client) });
  const limits = { requestsPerMinute: FAR, tokensPerMinute: FAR, streams: FAR };
  const take = () => counters.take({ tenant: TENANT, limits, tokens: 1, leaseMs: LEASE_MS });
  const costs: StreamCost[] = [];
  let taken = 0;
  for (const underWay of UNDER_WAY) {
    for (; taken < underWay; taken += AT_A_TIME) await Promise.all(Array.from({ length: AT_A_TIME }, take));
    const samples: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await client.config('RESETSTAT');
      for (let count = 0; count < TAKES; count++) {
        const one = await take();
        if (one.granted) await one.grant.settle(null);
      }
      samples.push(await scriptMicroseconds(client));
    }
    costs.push({ underWay, microseconds: spread(samples) });
  }
  return costs;
}

/** Of a pair of calls: counting it, and that it has ended. */
async function scriptMicroseconds(client: BenchRedis['client']): Promise<number> {
  const found = /^cmdstat_evalsha:calls=\d+,usec=(\d+)/m.exec(await client.info('commandstats'));
  return Number(found?.[1]) / TAKES;
}
