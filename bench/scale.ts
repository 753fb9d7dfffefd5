import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateways, startMocks } from './scale/fleet.ts';
import { measureKeys } from './scale/keys.ts';
import { measureLimits } from './scale/limits.ts';
import { measureScale } from './scale/linear.ts';
import { measureOperations, preparePrompts } from './scale/operations.ts';
import { type PartName, parseOptions, type ScaleOptions } from './scale/options.ts';
import { startBenchRedis } from './scale/redis.ts';
import { formatScale, type ScaleFigures } from './scale/report.ts';
import { measureStreamCounts } from './scale/stream-counts.ts';

/** `npm run bench -- scale`: four gateways, one Redis and a mock fleet; what is added up in docs/scale.md. */
export async function run({ flags }: { flags: readonly string[] }): Promise<void> {
  const options = parseOptions(flags);
  if (options === null) return;
  assertMachine();
  const folder = await mkdtemp(join(tmpdir(), 'preamble-bench-scale-'));
  const closing: (() => Promise<void>)[] = [async () => await rm(folder, { recursive: true, force: true })];
  const before = loadavg();
  try {
    const figures = await measure(options, folder, closing);
    const load = `load average ${before[0]?.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after; medians (middle half) of ${options.rounds} rounds at ${options.rate} requests/s to each gateway`;
    if (options.json) process.stdout.write(`${JSON.stringify({ ...figures, load }, null, 2)}\n`);
    else process.stdout.write(`${formatScale(figures)}\n${load}\n`);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function measure(options: ScaleOptions, folder: string, closing: (() => Promise<void>)[]): Promise<ScaleFigures> {
  const figures: ScaleFigures = {};
  const wants = (name: PartName) => {
    if (options.only.includes(name)) process.stderr.write(`measuring: ${name}\n`);
    return options.only.includes(name);
  };
  if (wants('keys')) figures.keys = measureKeys();
  const redis = await startBenchRedis(folder);
  closing.push(redis.stop);
  if (wants('streams')) figures.streams = await measureStreamCounts(redis);
  if (options.only.every((name) => name === 'streams' || name === 'keys')) return figures;
  await preparePrompts(folder, redis.url);
  process.stderr.write('starting the gateways\n');
  const mocks = await startMocks(folder, closing);
  const gateways = await startGateways(folder, { mocks, redisUrl: redis.url }, closing);
  if (wants('limits')) figures.limits = await measureLimits(gateways, redis);
  if (wants('gateways')) figures.gateways = await measureScale(gateways, redis, options);
  // Last, as it begins a rollout that goes on.
  if (wants('operations')) figures.operations = await measureOperations(gateways, redis);
  return figures;
}

function assertMachine(): void {
  if (process.platform !== 'linux') throw new Error('This benchmark reads /proc and pins processes: it needs Linux.');
  if (availableParallelism() < 2) throw new Error('This benchmark needs two cores.');
  for (const program of ['taskset', 'redis-server']) {
    if (spawnSync(program, ['--version']).error !== undefined) throw new Error(`${program} is not installed.`);
  }
}
