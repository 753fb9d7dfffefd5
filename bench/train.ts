import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultModelName } from '../src/model/known-models.ts';
import { obtainModel } from '../src/model/obtain/obtain.ts';
import { formatSpread, type Spread, spread } from './statistics.ts';
import { formatTable } from './table.ts';
import { type Step, startSide } from './train/side.ts';
import { makeTask } from './train/task.ts';

const ROUNDS = 5;
const SHAPE = { batch: 50, prefixTokens: 112, queryTokens: 32, microBatch: 25 };
const THREADS = Math.min(2, availableParallelism());
const LEAST_RATIO = 3;
const MOST_MEMORY_MB = 3000;
const MOST_LOSS_ERROR = 1e-3;

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/**
 * `npm run bench -- train [--rounds N] [--batch N] [--micro-batch N]`: a step of DRO, ours and the PyTorch way, in turn, so that what else runs on the
 * machine slows both. The first step of each opens and warms up and is compared, not counted.
 */
export async function run({ json, flags }: { json: boolean; flags: readonly string[] }): Promise<void> {
  const given = (flag: string) => (flags.includes(flag) ? Number(flags[flags.indexOf(flag) + 1]) : undefined);
  const rounds = given('--rounds') ?? ROUNDS;
  const batch = given('--batch') ?? SHAPE.batch;
  const microBatch = Math.min(batch, given('--micro-batch') ?? SHAPE.microBatch);
  const shape = { ...SHAPE, batch, microBatch, threads: THREADS };
  const python = execFileSync(pathOf('../scripts/python-env.sh'), ['torch'], { encoding: 'utf8' }).trim();
  const folder = await mkdtemp(join(tmpdir(), 'preamble-bench-train-'));
  try {
    const file = join(folder, 'task.json');
    const { directory } = await obtainModel(defaultModelName);
    await writeFile(file, JSON.stringify(await makeTask(directory, shape)));
    const ours = startSide(process.execPath, [pathOf('train/ours.ts'), file]);
    const theirs = startSide(python, [pathOf('train/pytorch.py'), file]);
    try {
      const steps: Pair[] = [];
      for (let round = 0; round <= rounds; round++) {
        // who goes first changes
        const first = await (round % 2 === 0 ? ours : theirs).step();
        const second = await (round % 2 === 0 ? theirs : ours).step();
        steps.push(round % 2 === 0 ? { ours: first, theirs: second } : { ours: second, theirs: first });
      }
      const peaks = { ours: await ours.peakMegabytes(), theirs: await theirs.peakMegabytes() };
      report(json, { ...shape, rounds, ...figuresOf(steps), peaks });
    } finally {
      ours.close();
      theirs.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Pair {
  ours: Step;
  theirs: Step;
}

interface Figures {
  oursSeconds: Spread;
  theirsSeconds: Spread;
  ratio: Spread;
  /** The largest of all steps, relative. */
  lossError: number;
  gradientNormError: number;
  losses: { ours: number; theirs: number }[];
}

function figuresOf(steps: readonly Pair[]): Figures {
  const counted = steps.slice(1);
  const largest = (of: (step: Step) => number) =>
    Math.max(...steps.map(({ ours, theirs }) => Math.abs(of(ours) / of(theirs) - 1)));
  return {
    oursSeconds: spread(counted.map(({ ours }) => ours.seconds)),
    theirsSeconds: spread(counted.map(({ theirs }) => theirs.seconds)),
    ratio: spread(counted.map(({ ours, theirs }) => theirs.seconds / ours.seconds)),
    lossError: largest(({ loss }) => loss),
    gradientNormError: largest(({ gradientNorm }) => gradientNorm),
    losses: steps.map(({ ours, theirs }) => ({ ours: ours.loss, theirs: theirs.loss })),
  };
}

type Report = Figures & typeof SHAPE & { threads: number; rounds: number; peaks: { ours: number; theirs: number } };

function report(json: boolean, figures: Report): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
    return;
  }
  const { batch, prefixTokens, queryTokens, microBatch, threads, rounds } = figures;
  const { oursSeconds, theirsSeconds, ratio, lossError, gradientNormError, peaks } = figures;
  const verdict = (reached: boolean) => (reached ? 'reached' : 'NOT reached');
  const rows = [
    ['what', 'ours', 'PyTorch', 'ratio', 'goal'],
    [
      'a step, s',
      formatSpread(oursSeconds, 1),
      formatSpread(theirsSeconds, 1),
      formatSpread(ratio, 2),
      `at least ${LEAST_RATIO}: ${verdict(ratio.median >= LEAST_RATIO)}`,
    ],
    [
      'peak memory, MB',
      peaks.ours.toFixed(0),
      peaks.theirs.toFixed(0),
      (peaks.theirs / peaks.ours).toFixed(2),
      `below ${MOST_MEMORY_MB}: ${verdict(peaks.ours < MOST_MEMORY_MB)}`,
    ],
    [
      'last loss',
      (figures.losses.at(-1)?.ours ?? Number.NaN).toFixed(6),
      (figures.losses.at(-1)?.theirs ?? Number.NaN).toFixed(6),
      '',
      `largest relative difference below ${MOST_LOSS_ERROR}: ${lossError.toExponential(1)}, ${verdict(lossError < MOST_LOSS_ERROR)} (gradient norm: ${gradientNormError.toExponential(1)})`,
    ],
  ];
  process.stdout.write(formatTable(rows));
  process.stdout.write(
    `batch ${batch} (${microBatch} at once), prefix ${prefixTokens}, queries ${queryTokens} tokens, ${threads} threads; medians (middle half) of ${rounds} steps in turn\n`,
  );
}
