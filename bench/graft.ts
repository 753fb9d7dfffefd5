import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { encodeTorchSaveBase64 } from '../src/formats/torch-save/write.ts';
import { spellVirtualTokens } from '../src/graft/virtual-token.ts';
import { writeLargeCheckpoint } from './graft/checkpoint.ts';
import { formatTable } from './table.ts';

/** Default size in gigabytes; `--gb 14` is a 7B model. Twice that is written beside it, and all of it deleted at the end. */
const DEFAULT_GB = 4;
/** Pairs of runs, cp first and then second in turn. */
const ROUNDS = 2;
const MOST_RATIO = 1.3;
const MOST_MEMORY_MB = 300;

interface Written {
  seconds: number;
  peakMb: number;
}

/** `npm run bench -- graft [--gb N] [--dir DIR]`: writing a grafted checkpoint against copying it, memory, and bytes a request. */
export async function run({ json, flags }: { json: boolean; flags: readonly string[] }): Promise<void> {
  const valueOf = (flag: string) => (flags.includes(flag) ? flags[flags.indexOf(flag) + 1] : undefined);
  const gigabytes = Number(valueOf('--gb') ?? DEFAULT_GB);
  const folder = await mkdtemp(join(valueOf('--dir') ?? tmpdir(), 'preamble-bench-graft-'));
  try {
    const source = join(folder, 'model');
    const bytes = await writeLargeCheckpoint(source, join(folder, 'prompts'), gigabytes * 1e9);
    const copies: number[] = [];
    const grafts: Written[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 0) copies.push(await copy(source, join(folder, 'copied')));
      grafts.push(await graft(folder));
      if (round % 2 === 1) copies.push(await copy(source, join(folder, 'copied')));
    }
    const small = await smallGraft(folder);
    report(json, {
      gigabytes: bytes / 1e9,
      copySeconds: Math.min(...copies),
      graftSeconds: Math.min(...grafts.map(({ seconds }) => seconds)),
      peakMb: Math.max(...grafts.map(({ peakMb }) => peakMb)),
      smallPeakMb: small.peakMb,
      ...bytesPerRequest(),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both end with the bytes on the disk. */
async function copy(source: string, target: string): Promise<number> {
  const start = performance.now();
  execFileSync('cp', ['-r', source, target]);
  execFileSync('sync', ['-f', target]);
  const seconds = (performance.now() - start) / 1000;
  await rm(target, { recursive: true });
  return seconds;
}

/** In a process of its own, whose peak memory is the writer's. */
async function graft(folder: string): Promise<Written> {
  const script = fileURLToPath(new URL('./graft/write.ts', import.meta.url));
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const written: Written = JSON.parse(await text(child.stdout));
  await rm(join(folder, 'grafted'), { recursive: true });
  return written;
}

/** The same with a sixteenth of the weights: memory should not tell them apart. */
async function smallGraft(folder: string): Promise<Written> {
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

type Figures = Record<
  'gigabytes' | 'copySeconds' | 'graftSeconds' | 'peakMb' | 'smallPeakMb' | 'embeddedBytes' | 'spelledBytes',
  number
>;

function report(json: boolean, figures: Figures): void {
  const ratio = figures.graftSeconds / figures.copySeconds;
  const fewer = figures.embeddedBytes / figures.spelledBytes;
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...figures, ratio, fewer }, null, 2)}\n`);
    return;
  }
  const verdict = (reached: boolean) => (reached ? 'reached' : 'NOT reached');
  const rows = [
    ['what', 'measured', 'beside', 'ratio', 'goal'],
    [
      `writing a graft, ${figures.gigabytes.toFixed(1)} GB`,
      `${figures.graftSeconds.toFixed(1)} s`,
      `cp and sync ${figures.copySeconds.toFixed(1)} s`,
      ratio.toFixed(2),
      `at most ${MOST_RATIO}: ${verdict(ratio <= MOST_RATIO)}`,
    ],
    [
      'peak memory of writing',
      `${figures.peakMb.toFixed(0)} MB`,
      `for 1 GB ${figures.smallPeakMb.toFixed(0)} MB`,
      (figures.peakMb / figures.smallPeakMb).toFixed(2),
      `below ${MOST_MEMORY_MB} MB: ${verdict(figures.peakMb < MOST_MEMORY_MB)}`,
    ],
    [
      'bytes a request, 100 rows of 4096',
      String(figures.spelledBytes),
      `prompt_embeds ${figures.embeddedBytes}`,
      `1/${fewer.toFixed(0)}`,
      `100 times fewer: ${verdict(fewer >= 100)}`,
    ],
  ];
  process.stdout.write(formatTable(rows));
}
