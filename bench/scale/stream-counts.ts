import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '../../src/redis/connection.ts';
import { createRedisCounters } from '../../src/redis/counters.ts';
import { type Spread, spread } from '../statistics.ts';
import type { BenchRedis } from './redis.ts';

/** Answers of one tenant that are under way. */
const UNDER_WAY = [0, 100, 1_000, 10_000] as const;
const ROUNDS = 5;
const TAKES = 40;
const FAR = 1e9;
const AT_A_TIME = 50;

export interface StreamCost {
  readonly underWay: number;
  /** Of Redis, to count one request more; by its own measure of the script. */
  readonly microseconds: Spread;
}

/** What counting a request costs Redis when many answers of its tenant are under way: one key, so one core. */
export async function measureStreamCounts({ url, client }: BenchRedis): Promise<StreamCost[]> {
  const redis = await connectRedis({ url, keyPrefix: 'bench:' });
  try {
    await redis.settled;
    while (redis.state().status !== 'connected') await sleep(20);
    const counters = createRedisCounters(redis);
    const limits = { requestsPerMinute: FAR, tokensPerMinute: FAR, streams: FAR };
    const take = () => counters.take({ tenant: 'crowd', limits, tokens: 1, leaseMs: 3_600_000 });
    const costs: StreamCost[] = [];
    let taken = 0;
    for (const underWay of UNDER_WAY) {
      while (taken < underWay) {
        const some = Math.min(AT_A_TIME, underWay - taken);
        await Promise.all(Array.from({ length: some }, take));
        taken += some;
      }
      const samples: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        await client.config('RESETSTAT');
        for (let count = 0; count < TAKES; count++) {
          const granted = await take();
          if (granted.granted) await granted.grant.settle(null);
        }
        samples.push(await scriptMicroseconds(client));
      }
      costs.push({ underWay, microseconds: spread(samples) });
    }
    return costs;
  } finally {
    await redis.close();
  }
}

/** Of a pair of calls: counting it, and that it has ended. */
async function scriptMicroseconds(client: BenchRedis['client']): Promise<number> {
  const found = /^cmdstat_evalsha:calls=\d+,usec=(\d+)/m.exec(await client.info('commandstats'));
  return Number(found?.[1]) / TAKES;
}
