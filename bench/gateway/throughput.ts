import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { summarise, type Throughput, type ThroughputSpread, whileUsing } from './measurement.ts';
import type { Target } from './targets.ts';
import { runWrk } from './wrk.ts';

/** Before the first round: the compiler has seen everything by then. */
const WARM_UP_SECONDS = 3;

export interface ThroughputScenario {
  readonly connections: number;
  /** What a target is sent; null where the scenario is not for it. */
  body(target: Target): string | null;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly folder: string;
}

/** Rounds that go through the targets in turn, so that what else the machine does meets all of them. */
export async function measureThroughput(
  targets: readonly Target[],
  scenario: ThroughputScenario,
  { rounds, seconds, folder }: RoundOptions,
): Promise<ReadonlyMap<string, ThroughputSpread>> {
  const figures = new Map<string, Throughput[]>();
  const bodies = new Map<string, string>();
  for (const target of targets) {
    const body = scenario.body(target);
    if (body === null) continue;
    const file = join(folder, `${target.name}.json`);
    await writeFile(file, body);
    bodies.set(target.name, file);
    figures.set(target.name, []);
  }
  for (let round = -1; round < rounds; round++) {
    for (const target of targets) {
      const bodyFile = bodies.get(target.name);
      if (bodyFile === undefined) continue;
      const figure = await measureOne(
        target,
        bodyFile,
        scenario.connections,
        round < 0 ? WARM_UP_SECONDS : seconds,
        folder,
      );
      if (round >= 0) figures.get(target.name)?.push(figure);
    }
  }
  return new Map([...figures].map(([name, measured]) => [name, summarise(measured)]));
}

async function measureOne(
  { port, pid, headers }: Target,
  bodyFile: string,
  connections: number,
  seconds: number,
  folder: string,
): Promise<Throughput> {
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  const used = await whileUsing(pid, () => runWrk({ url, headers, bodyFile, connections, seconds }, folder));
  const { perSecond, failed, p50, p99 } = used.result;
  return {
    perSecond,
    failed,
    p50,
    p99,
    perProcessorSecond: (perSecond * seconds) / used.processor,
    share: used.processor / used.seconds,
  };
}
