import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureLatency } from './gateway/latency.ts';
import { type BenchOptions, parseOptions, type ScenarioName } from './gateway/options.ts';
import { freePort, LOAD_CORE, startPinned, waitUntilServing } from './gateway/processes.ts';
import { hottest } from './gateway/profile.ts';
import { formatReport } from './gateway/report.ts';
import { stopOrTell } from './gateway/start-gateway.ts';
import { CHUNK_INTERVAL_MS, measureFirstByte, measureStreams } from './gateway/streams.ts';
import { MODELS } from './gateway/targets/preamble.ts';
import { startTarget, type Target, Unavailable } from './gateway/targets.ts';
import { measureThroughput } from './gateway/throughput.ts';
import { NO_PROMPT, type Results, verdicts } from './gateway/verdicts.ts';
import { largeBody, MODEL, smallBody } from './gateway/wire.ts';

const SMALL_CONNECTIONS = 64;
/** 1.1 MB each: enough to keep both sides busy. */
const LARGE_CONNECTIONS = 16;
/** For runs that only ask for the latency. */
const GUESSED_RATE = 3000;
/** Slower by far than the rates and streams that the others are measured at; Portkey 1.15.2 also fails at streams under Node 24. */
const WHOLE_ANSWERS_ONLY = new Set(['portkey', 'litellm']);
/** What peers are given of the run with 1,000 streams; their memory is not our question. */
const PEER_STREAM_SECONDS = 60;

export async function run({ flags }: { flags: readonly string[] }): Promise<void> {
  const options = parseOptions(flags);
  if (options === null) return;
  assertMachine();
  const folder = await mkdtemp(join(tmpdir(), 'preamble-bench-'));
  const closing: (() => Promise<void>)[] = [async () => await rm(folder, { recursive: true, force: true })];
  const before = loadavg();
  try {
    const mockPort = await startMock(folder, closing);
    const targets = await startTargets(options, { mockPort, folder }, closing);
    const results = await measure(options, targets, folder);
    const load = `load average ${before[0]?.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after; medians (middle half) of ${options.rounds} rounds`;
    if (options.json) process.stdout.write(`${JSON.stringify(toJson(results, load), null, 2)}\n`);
    else process.stdout.write(`${formatReport(results)}\n${load}\n`);
  } finally {
    for (const close of closing.reverse()) await close();
  }
  if (options.profile !== null) process.stderr.write(`\n${await hottest(resolve(options.profile))}`);
}

async function startMock(folder: string, closing: (() => Promise<void>)[]): Promise<number> {
  const port = await freePort();
  const script = fileURLToPath(new URL('./gateway/processes/mock.ts', import.meta.url));
  const logFile = join(folder, 'mock.log');
  const args = [script, String(port), String(CHUNK_INTERVAL_MS)];
  const mock = startPinned({ core: LOAD_CORE, command: process.execPath, args, logFile });
  closing.push(() => stopOrTell('the mock', mock, logFile));
  await waitUntilServing(mock, () => fetch(`http://127.0.0.1:${port}/health`), logFile);
  return port;
}

async function startTargets(
  { targets, profile }: BenchOptions,
  { mockPort, folder }: { mockPort: number; folder: string },
  closing: (() => Promise<void>)[],
): Promise<Target[]> {
  const started: Target[] = [];
  for (const name of targets) {
    try {
      const target = await startTarget(name, { mockPort, folder, profile: profile === null ? null : resolve(profile) });
      started.push(target);
      closing.push(target.stop);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw new Error(`${name} could not be started.`, { cause: error });
      process.stderr.write(`without ${name}: ${error.message}\n`);
    }
  }
  return started;
}

async function measure(options: BenchOptions, targets: readonly Target[], folder: string): Promise<Results> {
  const results: Results = {};
  const rounds = { rounds: options.rounds, seconds: options.seconds, folder };
  const wants = (name: ScenarioName) => {
    if (options.only.includes(name)) process.stderr.write(`measuring: ${name}\n`);
    return options.only.includes(name);
  };
  const quick = targets.filter(({ name }) => !WHOLE_ANSWERS_ONLY.has(name));
  const isOurs = ({ name }: Target) => name === 'preamble';
  const small = { connections: SMALL_CONNECTIONS };
  const large = { connections: LARGE_CONNECTIONS };
  if (wants('small'))
    results.small = await measureThroughput(targets, { ...small, body: () => smallBody(MODEL) }, rounds);
  if (wants('text')) {
    const body = (target: Target) => smallBody(isOurs(target) ? MODELS.text : MODEL);
    results.text = await measureThroughput(targets, { ...small, body }, rounds);
  }
  if (wants('embeddings')) {
    const body = (target: Target) => (isOurs(target) ? smallBody(MODELS.embeddings) : largeBody(MODEL));
    results.embeddings = await measureThroughput(targets, { ...large, body }, rounds);
  }
  if (wants('virtual')) {
    const both = targets.filter(isOurs).flatMap((target) => [{ ...target, name: NO_PROMPT }, target]);
    const body = (target: Target) => smallBody(isOurs(target) ? MODELS.virtual : MODELS.none);
    results.virtual = await measureThroughput(both, { ...small, body }, rounds);
  }
  if (wants('latency')) {
    const most = (results.small ?? results.text)?.get('preamble')?.perSecond.median ?? 2 * GUESSED_RATE;
    results.latency = await measureLatency(quick, Math.round(most / 2), rounds);
  }
  if (wants('first-byte')) results.firstByte = await measureFirstByte(quick, rounds);
  if (wants('streams')) {
    const figures = new Map();
    for (const target of quick) {
      const seconds = isOurs(target) ? options.streamSeconds : Math.min(PEER_STREAM_SECONDS, options.streamSeconds);
      figures.set(target.name, await measureStreams(target, seconds));
    }
    results.streams = figures;
  }
  return results;
}

function toJson(results: Results, load: string): object {
  const figures = Object.entries(results).map(([name, byTarget]) => [name, Object.fromEntries(byTarget)]);
  return { ...Object.fromEntries(figures), verdicts: verdicts(results), load };
}

function assertMachine(): void {
  if (process.platform !== 'linux') throw new Error('This benchmark reads /proc and pins processes: it needs Linux.');
  if (availableParallelism() < 2) throw new Error('This benchmark needs two cores.');
  for (const program of ['taskset', 'wrk']) {
    if (spawnSync(program, ['-v']).error !== undefined)
      throw new Error(`${program} is not installed (apt-get install ${program}).`);
  }
}
