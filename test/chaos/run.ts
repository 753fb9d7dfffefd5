/**
 * `npm run test:chaos -- [--seed N] [--minutes M]`: everything that breaks on purpose, one file after the other. Without a seed another run each time,
 * which its first line names; without minutes a short one. Ends with 0 where nothing was found, else with 1.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const folder = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string' } } });
for (const [name, value] of Object.entries(values)) {
  if (Number.isFinite(Number(value)) && Number(value) > 0) continue;
  process.stderr.write(`--${name} takes a number above 0.\n`);
  process.exit(2);
}
const seed = values.seed ?? String(Math.floor(Math.random() * 1e6) + 1);
process.stderr.write(`chaos --seed ${seed}\n`);

const flags = ['--seed', seed, ...(values.minutes === undefined ? [] : ['--minutes', values.minutes])];
for (const file of globSync(join(folder, '*.live.ts')).sort()) {
  const { status } = spawnSync(process.execPath, [file, ...flags], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
