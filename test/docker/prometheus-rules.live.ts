import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../docker/prometheus/', import.meta.url));

t.test('promtool finds the rules sound, and each alert comes when it should and only then', async (t) => {
  t.match((await run('promtool', ['check', 'rules', 'rules.yaml'], { cwd: folder })).stdout, /SUCCESS/);
  t.match((await run('promtool', ['test', 'rules', 'rules.test.yaml'], { cwd: folder })).stdout, /SUCCESS/);
  const [rules, tests] = await Promise.all(
    ['rules.yaml', 'rules.test.yaml'].map((file) => readFile(folder + file, 'utf8')),
  );
  for (const [, name = ''] of (rules ?? '').matchAll(/- alert: (\S+)/g)) {
    t.match(tests, new RegExp(`alertname: ${name}\\n\\s+exp_alerts:`), `${name} is seen to fire`);
  }
});
