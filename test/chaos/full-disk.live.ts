import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { post, question, writeProxySettings } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { killAtExit } from '../helpers/redis.ts';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const REQUESTS = 200;
t.setTimeout(600_000);

t.test('a gateway whose log has no room answers, drains on SIGTERM and ends with 0', async (t) => {
  const folder = await writeProxySettings(t, [await startFakeVllm(t)]);
  const child = spawn(process.execPath, [entry, 'serve', '--config', join(folder, 'preamble.yaml'), '--port', '0'], {
    env: { ...process.env, NODE_OPTIONS: undefined },
    // Linux' device whose disk is always full.
    stdio: ['ignore', 'pipe', openSync('/dev/full', 'w')],
  });
  killAtExit(child);
  t.teardown(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let said = '';
  if (child.stdout === null) throw new Error('no standard output');
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes('Try it')) break;
  }
  const [, origin = ''] = /^Preamble serves (\S+)\/v1$/m.exec(said) ?? [];
  const statuses = new Set<number>();
  for (let sent = 0; sent < REQUESTS; sent++) statuses.add((await post(origin, question)).status);
  t.strictSame([...statuses], [200]);
  child.kill('SIGTERM');
  t.strictSame(await exited, [0, null]);
});
