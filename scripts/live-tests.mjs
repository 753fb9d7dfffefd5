// `npm run test:live`: the tests that need more than npm brings: a Redis, a Chromium, a Python with torch and vLLM. What is given is passed on to tap.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const files = globSync('test/**/*.live.ts', { cwd: root }).sort();
const tap = join(root, 'node_modules', '.bin', 'tap');
const { status } = spawnSync(tap, ['--jobs=1', ...process.argv.slice(2), ...files], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
