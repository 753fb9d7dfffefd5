import { type Spread, spread } from '../statistics.ts';
import { processorSeconds } from './usage.ts';

/** One target in one round. */
export interface Throughput {
  readonly perSecond: number;
  /** Requests for each second of the gateway's processor time: what is left of a figure when others use the core too. NaN where no gateway is. */
  readonly perProcessorSecond: number;
  /** Share of its core that the gateway had. */
  readonly share: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
}

/** The gateway's processor seconds while `work` runs, and the seconds that it took. */
export async function whileUsing<Result>(
  pid: number | null,
  work: () => Promise<Result>,
): Promise<{ result: Result; processor: number; seconds: number }> {
  const before = pid === null ? Number.NaN : await processorSeconds(pid);
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  const after = pid === null ? Number.NaN : await processorSeconds(pid);
  return { result, processor: after - before, seconds };
}

export interface ThroughputSpread {
  readonly perSecond: Spread;
  readonly perProcessorSecond: Spread;
  readonly share: Spread;
  readonly p99: Spread;
  readonly failed: number;
  readonly rounds: readonly Throughput[];
}

export function summarise(rounds: readonly Throughput[]): ThroughputSpread {
  const of = (pick: (round: Throughput) => number) => spread(rounds.map(pick));
  return {
    perSecond: of((round) => round.perSecond),
    perProcessorSecond: of((round) => round.perProcessorSecond),
    share: of((round) => round.share),
    p99: of((round) => round.p99),
    failed: rounds.reduce((sum, round) => sum + round.failed, 0),
    rounds,
  };
}
