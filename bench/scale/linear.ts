import { setTimeout as sleep } from 'node:timers/promises';
import { MODEL } from '../gateway/wire.ts';
import { type Spread, spread } from '../statistics.ts';
import type { BenchGateway } from './fleet.ts';
import { idlePerSecond } from './operations.ts';
import { type BenchRedis, perRequest, usedBetween } from './redis.ts';
import { sendAll, sendSteadily } from './requests.ts';
import { difference, type Usage, usageOf } from './usage.ts';

const COUNTS = [1, 2, 4] as const;
const IDLE_SECONDS = 10;
/** The work of one request lies in the windows before and after it by so much, at the most. */
const QUIET_MS = 500;

/** Everything is counted on every request, so that each one asks Redis. */
const kind = { tenant: 'all', model: MODEL } as const;

export interface ScaleRow {
  readonly gateways: number;
  /** Processor microseconds of a gateway, a request. */
  readonly gateway: Spread;
  readonly redis: Spread;
  readonly roundTrips: Spread;
  /** Requests a second of all gateways. */
  readonly perSecond: Spread;
  /** Seconds that a gateway waited for a core, for each that it had one: how busy the machine was. */
  readonly waited: Spread;
  readonly failed: number;
}

export interface ScaleOf {
  readonly rate: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
}

/** The same rate to each of one, two and four gateways, in turn: what a request costs must not hang on how many there are. */
export async function measureScale(
  gateways: readonly BenchGateway[],
  redis: BenchRedis,
  { rate, rounds, seconds, warmUp }: ScaleOf,
): Promise<ScaleRow[]> {
  await sendAll(gateways, kind, warmUp);
  const idleRedis = await idlePerSecond(redis);
  const idle = await idleProcessor(gateways);
  const samples = new Map(COUNTS.map((count) => [count, emptySamples()]));
  for (let round = 0; round < rounds; round++) {
    for (const [count, sample] of samples) {
      const measured = gateways.slice(0, count);
      const [before, counts] = [await usages(measured), await redis.counts()];
      const since = performance.now();
      const sent = await sendSteadily(measured, kind, { perSecond: rate, seconds });
      await sleep(QUIET_MS);
      const elapsed = (performance.now() - since) / 1000;
      const used = (await usages(measured)).map((usage, index) => difference(usage, before[index] ?? usage));
      const use = perRequest(usedBetween(counts, await redis.counts()), idleRedis, elapsed, sent.answered);
      const processor = used.reduce((sum, usage) => sum + usage.processor, 0);
      const waited = used.reduce((sum, usage) => sum + usage.waited, 0);
      const byThemselves = idle.slice(0, count).reduce((sum, one) => sum + one, 0) * elapsed;
      sample.gateway.push(((processor - byThemselves) / sent.answered) * 1e6);
      sample.redis.push(use.microseconds);
      sample.roundTrips.push(use.roundTrips);
      sample.perSecond.push(sent.answered / sent.seconds);
      sample.waited.push(waited / processor);
      sample.failed += sent.failed;
    }
  }
  return [...samples].map(([count, sample]) => ({
    gateways: count,
    gateway: spread(sample.gateway),
    redis: spread(sample.redis),
    roundTrips: spread(sample.roundTrips),
    perSecond: spread(sample.perSecond),
    waited: spread(sample.waited),
    failed: sample.failed,
  }));
}

function emptySamples() {
  const none = (): number[] => [];
  return { gateway: none(), redis: none(), roundTrips: none(), perSecond: none(), waited: none(), failed: 0 };
}

const usages = (gateways: readonly BenchGateway[]): Promise<Usage[]> =>
  Promise.all(gateways.map(({ pid }) => usageOf(pid)));

/** Processor seconds a second of each gateway that nobody asks. */
async function idleProcessor(gateways: readonly BenchGateway[]): Promise<number[]> {
  const before = await usages(gateways);
  const since = performance.now();
  await sleep(IDLE_SECONDS * 1000);
  const seconds = (performance.now() - since) / 1000;
  const after = await usages(gateways);
  return after.map((usage, index) => difference(usage, before[index] ?? usage).processor / seconds);
}
