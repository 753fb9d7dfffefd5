import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { readAhead } from '../src/formats/file-ranges.ts';
import { encodeTorchSaveBase64 } from '../src/formats/torch-save/write.ts';
import { spellVirtualTokens } from '../src/graft/virtual-token.ts';
import { writeLargeCheckpoint } from './graft/checkpoint.ts';
import { formatSpread, type Spread, spread } from './statistics.ts';
import { formatTable } from './table.ts';

/** Default size in gigabytes; `--gb 14` is a 7B model. Twice that is written beside it, and all of it deleted at the end. */
const DEFAULT_GB = 4;
/** Pairs of runs, cp first and then second in turn. */
const DEFAULT_ROUNDS = 5;
const MOST_RATIO = 1.3;
const MOST_MEMORY_MB = 300;

interface Written {
  seconds: number;
  /** Processor time, user and system: what is left of a figure when others use the machine too. */
  processorSeconds: number;
}

interface Grafted extends Written {
  peakMb: number;
}

/** `npm run bench -- graft [--gb N] [--rounds N] [--dir DIR]`: writing a grafted checkpoint against copying it, memory, and bytes a request. */
export async function run({ json, flags }: { json: boolean; flags: readonly string[] }): Promise<void> {
  const given = (flag: string) => (flags.includes(flag) ? flags[flags.indexOf(flag) + 1] : undefined);
  const gigabytes = Number(given('--gb') ?? DEFAULT_GB);
  const rounds = Number(given('--rounds') ?? DEFAULT_ROUNDS);
  const folder = await mkdtemp(join(given('--dir') ?? tmpdir(), 'preamble-bench-graft-'));
  const load = [loadavg()[0] ?? 0];
  try {
    const source = join(folder, 'model');
    const bytes = await writeLargeCheckpoint(source, join(folder, 'prompts'), gigabytes * 1e9);
    const copies: Written[] = [];
    const grafts: Grafted[] = [];
    // The first pair is not counted: memory that the machine has not used before is slow to get.
    for (let round = -1; round < rounds; round++) {
      const isSecond = round % 2 !== 0;
      if (!isSecond) copies.push(await copy(source, join(folder, 'copied')));
      grafts.push(await graft(folder));
      if (isSecond) copies.push(await copy(source, join(folder, 'copied')));
    }
    const small = await smallGraft(folder);
    load.push(loadavg()[0] ?? 0);
    report(json, {
      gigabytes: bytes / 1e9,
      copies: copies.slice(1),
      grafts: grafts.slice(1),
      smallPeakMb: small.peakMb,
      load,
      ...bytesPerRequest(),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both find the source in memory, as far as it fits, and end with the bytes on the disk. */
async function copy(source: string, target: string): Promise<Written> {
  await readAll(source);
  const start = performance.now();
  const script = 'cp -r "$0" "$1" && sync -f "$1" && times';
  const times = execFileSync('sh', ['-c', script, source, target], { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  await rm(target, { recursive: true });
  // the shell's own, and below that what it ran: "0m0.01s 0m1.20s"
  const [, children = ''] = times.trim().split('\n');
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => 60 * Number(minutes) + Number(rest),
  );
  return { seconds, processorSeconds: parts.reduce((sum, part) => sum + part, 0) };
}

/** In a process of its own, whose peak memory is the writer's. */
async function graft(folder: string): Promise<Grafted> {
  await readAll(join(folder, 'model'));
  const script = fileURLToPath(new URL('./graft/write.ts', import.meta.url));
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const written: Grafted = JSON.parse(await text(child.stdout));
  await rm(join(folder, 'grafted'), { recursive: true });
  return written;
}

async function readAll(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    await using file = await open(join(directory, name), 'r');
    const { size } = await file.stat();
    for await (const _ of readAhead(file, { position: 0, length: size, pieceBytes: 2 ** 22 }));
  }
}

/** The same with a sixteenth of the weights: memory should not tell them apart. */
async function smallGraft(folder: string): Promise<Grafted> {
  const small = join(folder, 'small');
  await writeLargeCheckpoint(join(small, 'model'), join(small, 'prompts'), 1e9);
  return await graft(small);
}

/** Of a prompt of 100 tokens at hidden size 4096, as vLLM takes it and spelled. */
function bytesPerRequest(): { embeddedBytes: number; spelledBytes: number } {
  const [rows, columns] = [100, 4096];
  const bytes = new Uint8Array(rows * columns * 2);
  const embeddedBytes = encodeTorchSaveBase64({ dtype: 'BF16', rows, columns, bytes }).length;
  const [texts = []] = spellVirtualTokens([{ digest: '0'.repeat(64), tokens: rows }]);
  return { embeddedBytes, spelledBytes: texts.join('').length };
}

interface Figures {
  readonly gigabytes: number;
  readonly copies: readonly Written[];
  readonly grafts: readonly Grafted[];
  readonly smallPeakMb: number;
  readonly load: readonly number[];
  readonly embeddedBytes: number;
  readonly spelledBytes: number;
}

function report(json: boolean, figures: Figures): void {
  const { copies, grafts, smallPeakMb, embeddedBytes, spelledBytes, load } = figures;
  const copied = spread(copies.map(({ seconds }) => seconds));
  const grafted = spread(grafts.map(({ seconds }) => seconds));
  // each against the copy beside it: what else the machine does changes over minutes
  const ratio = spread(grafts.map(({ seconds }, index) => seconds / (copies[index]?.seconds ?? Number.NaN)));
  const copyProcessor = spread(copies.map(({ processorSeconds }) => processorSeconds));
  const processor = spread(grafts.map(({ processorSeconds }) => processorSeconds));
  const peakMb = Math.max(...grafts.map((run) => run.peakMb));
  const fewer = embeddedBytes / spelledBytes;
  if (json) {
    const summary = { copied, grafted, ratio, copyProcessor, processor, peakMb, fewer };
    process.stdout.write(`${JSON.stringify({ ...figures, ...summary }, null, 2)}\n`);
    return;
  }
  const verdict = (reached: boolean) => (reached ? 'reached' : 'NOT reached');
  const seconds = (values: Spread) => `${formatSpread(values, 1)} s`;
  const rows = [
    ['what', 'measured', 'beside', 'ratio', 'goal'],
    [
      `writing a graft, ${figures.gigabytes.toFixed(1)} GB`,
      seconds(grafted),
      `cp and sync ${seconds(copied)}`,
      formatSpread(ratio, 2),
      `at most ${MOST_RATIO}: ${verdict(ratio.median <= MOST_RATIO)}`,
    ],
    ['processor time of that', seconds(processor), seconds(copyProcessor), '', ''],
    [
      'peak memory of writing',
      `${peakMb.toFixed(0)} MB`,
      `for 1 GB ${smallPeakMb.toFixed(0)} MB`,
      (peakMb / smallPeakMb).toFixed(2),
      `below ${MOST_MEMORY_MB} MB: ${verdict(peakMb < MOST_MEMORY_MB)}`,
    ],
    [
      'bytes a request, 100 rows of 4096',
      String(spelledBytes),
      `prompt_embeds ${embeddedBytes}`,
      `1/${fewer.toFixed(0)}`,
      `100 times fewer: ${verdict(fewer >= 100)}`,
    ],
  ];
  process.stdout.write(formatTable(rows));
  const [before = 0, after = 0] = load;
  process.stdout.write(
    `Medians (middle half) of ${grafts.length} pairs; load average ${before.toFixed(1)} before, ${after.toFixed(1)} after.\n`,
  );
}
