import { type Spread, spread } from '../statistics.ts';
import type { SteadyFigures, SteadyOptions } from './processes/steady.ts';
import { runGenerator } from './processes.ts';
import type { Target } from './targets.ts';
import { MODEL, smallBody } from './wire.ts';

const CONNECTIONS = 256;

export interface LatencySpread {
  readonly p50: Spread;
  readonly p99: Spread;
  readonly failed: number;
}

/** Latency at a steady rate; the same rate for every target, so that what a gateway adds is the difference to direct. */
export async function measureLatency(
  targets: readonly Target[],
  perSecond: number,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<ReadonlyMap<string, LatencySpread>> {
  const figures = new Map<string, SteadyFigures[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, port, headers } of targets) {
      const body = smallBody(MODEL);
      const options = { port, headers, body, perSecond, seconds, warmUpSeconds: 1, connections: CONNECTIONS };
      figures.get(name)?.push(await runGenerator<SteadyFigures>('steady', options satisfies SteadyOptions));
    }
  }
  return new Map(
    [...figures].map(([name, measured]) => [
      name,
      {
        p50: spread(measured.map(({ latency }) => latency.p50)),
        p99: spread(measured.map(({ latency }) => latency.p99)),
        failed: measured.reduce((sum, { failed }) => sum + failed, 0),
      },
    ]),
  );
}
