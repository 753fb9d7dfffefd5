import { type Spread, spread } from '../statistics.ts';
import { whileUsing } from './measurement.ts';
import type { StreamsFigures, StreamsOptions } from './processes/streams.ts';
import { runGenerator } from './processes.ts';
import type { Target } from './targets.ts';
import { growth, watchMemory } from './usage.ts';
import { MODEL, streamBody } from './wire.ts';

/** 50 tokens a second, which few models exceed. */
export const CHUNK_INTERVAL_MS = 20;
/** Ten seconds; an answer of several paragraphs. */
const LONG_TOKENS = 500;
/** Half a second: where first bytes count, many streams begin. */
const SHORT_TOKENS = 25;
/** Ten chunks' time: what a reader sees as a halt. */
const STALL_MS = 200;
const MANY = 1000;
/** A load that no target is at its limit with: what is added is work, not waiting. */
const FEW = 50;
/** As long as one stream: from then on as many end as begin. */
const RAMP_SECONDS = 10;

function manyOptions({ port, headers }: Target, seconds: number): StreamsOptions {
  const body = streamBody(MODEL, LONG_TOKENS);
  return { port, headers, body, concurrent: MANY, seconds, rampSeconds: RAMP_SECONDS, stallMs: STALL_MS };
}

function fewOptions({ port, headers }: Target, seconds: number): StreamsOptions {
  const body = streamBody(MODEL, SHORT_TOKENS);
  return { port, headers, body, concurrent: FEW, seconds, rampSeconds: 1, stallMs: STALL_MS };
}

export interface FirstByteSpread {
  readonly p50: Spread;
  readonly p99: Spread;
  readonly broken: number;
}

/** From request to the answer's first byte, with few streams at a time. */
export async function measureFirstByte(
  targets: readonly Target[],
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<ReadonlyMap<string, FirstByteSpread>> {
  const figures = new Map<string, StreamsFigures[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const target of targets) {
      figures.get(target.name)?.push(await runGenerator<StreamsFigures>('streams', fewOptions(target, seconds)));
    }
  }
  return new Map(
    [...figures].map(([name, measured]) => [
      name,
      {
        p50: spread(measured.map(({ firstByte }) => firstByte.p50)),
        p99: spread(measured.map(({ firstByte }) => firstByte.p99)),
        broken: measured.reduce((sum, { broken }) => sum + broken, 0),
      },
    ]),
  );
}

export interface ManyStreams extends StreamsFigures {
  /** Share of its core that the gateway used; NaN for none. */
  readonly share: number;
  /** Megabytes; null where there is no gateway. */
  readonly memory: ReturnType<typeof growth> | null;
  readonly seconds: number;
}

/** A thousand streams at a time; each ends after ten seconds and is followed by another. */
export async function measureStreams(target: Target, seconds: number): Promise<ManyStreams> {
  const memory = target.pid === null ? null : watchMemory(target.pid);
  const used = await whileUsing(target.pid, () =>
    runGenerator<StreamsFigures>('streams', manyOptions(target, seconds)),
  );
  const samples = memory?.stop() ?? null;
  return {
    ...used.result,
    seconds,
    share: used.processor / used.seconds,
    memory: samples === null ? null : growth(samples),
  };
}
