// Runs before `npm start` and `npm test`, on whatever Node is there (20 or later): installs the dependencies where they are missing or
// older than the lock file. Plain JavaScript without dependencies, as nothing is installed yet. Among what it installs is a Node that
// runs TypeScript, which npm finds first in the scripts that follow.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = 20;

/** npm writes this file last, so an install that was cut off counts as none. */
const installed = join(root, 'node_modules', '.package-lock.json');
const lockFile = join(root, 'package-lock.json');

function isInstalled() {
  if (!existsSync(installed)) return false;
  if (statSync(installed).mtimeMs >= statSync(lockFile).mtimeMs) return true;
  // A fresh clone of the same lock file has a newer date; the versions decide.
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const there = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || entry.devOptional || there[path]?.version === entry.version,
  );
}

function run(what, command, args, environment = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', process.stderr, 'inherit'],
    env: { ...process.env, ...environment },
    shell: process.platform === 'win32',
  });
  if (status === 0) return;
  process.stderr.write(`preamble: ${what} failed${error ? ` (${error.message})` : ''}. See the lines above.\n`);
  process.exit(1);
}

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE) {
  process.stderr.write(`preamble: Node ${process.versions.node} is too old. Install Node ${OLDEST_NODE} or later.\n`);
  process.exit(1);
}

if (!isInstalled()) {
  process.stderr.write('Installing dependencies (once, a minute or two)...\n');
  // Without this, onnxruntime-node downloads CUDA libraries of several hundred megabytes, which nothing here uses.
  run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund'], { ONNXRUNTIME_NODE_INSTALL: 'skip' });
}

// tap puts its plugins together once; doing it here keeps that out of the first test run.
const forTests = process.env.npm_lifecycle_event?.startsWith('pretest');
if (forTests && !existsSync(join(root, '.tap', 'plugins', 'package.json'))) {
  run('tap build', join(root, 'node_modules', '.bin', 'tap'), ['build']);
}
