import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { fakeHub, repository } from './support/fake-hub.ts';
import { tinyModel } from './support/tiny-model.ts';

const script = fileURLToPath(new URL('support/obtain-process.ts', import.meta.url));

/** Runs shell commands as root of a mount namespace of their own, whoever runs the tests; what they mount goes with them. */
async function inOwnNamespace(commands: string, environment: Record<string, string>) {
  const child = spawn('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', commands], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = once(child, 'close').then(
    ([code]) => code,
    () => 'absent',
  );
  return { stdout: await text(child.stdout), stderr: await text(child.stderr), code: await code };
}

t.test('a disk that fills up in mid-download is one clear line, and with more room the download goes on', async (t) => {
  const files = tinyModel(3_000_000);
  const hub = await fakeHub(t, files, { slowly: 50_000 });
  const cache = t.testdir();
  const environment = { PREAMBLE_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' };
  const obtain = `'${process.execPath}' '${script}' ${repository}`;
  const trial = await inOwnNamespace(`mount -t tmpfs tmpfs '${cache}'`, environment);
  if (trial.code !== 0) {
    // Not Linux, or a container that may not: unwritable-cache.test.ts has a full disk of another kind.
    t.pass('no file system of its own here');
    return;
  }
  const { stdout, stderr } = await inOwnNamespace(
    `mount -t tmpfs -o size=2m tmpfs '${cache}' && ${obtain}; echo "code $?"; cd '${cache}' && find . -type f -size +0;
     mount -o remount,size=8m '${cache}' && ${obtain}; echo "code $?"; find . -type f -size +1000c`,
    environment,
  );
  t.equal(stderr, '');
  const [full = '', resumed = ''] = stdout.split('code 1\n');
  const last = full.trim().split('\n').at(-1) ?? '';
  t.match(JSON.parse(last), { error: `PreambleError: The disk that holds ${cache} is full.` });
  const [left = ''] = resumed.split('\n{', 1);
  t.match(left, /model\.safetensors\.part$/m);
  t.notMatch(left, /model\.safetensors$/m, 'no partial file is taken for a whole one');
  t.notMatch(left, /\/models\//);
  t.match(resumed, /"source":"hub".*\ncode 0\n\.\/models\/tiny--model\/model\.safetensors\n$/);
  t.equal(hub.weightRequests.length, 2);
  t.match(hub.weightRequests[1], /^bytes=[1-9]\d{5,}-$/, 'it goes on where the room ended');
});
