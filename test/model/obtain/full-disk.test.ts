import { fileURLToPath } from 'node:url';
import t from 'tap';
import { inOwnNamespace } from '../../helpers/own-namespace.ts';
import { fakeHub, repository } from './support/fake-hub.ts';
import { tinyModel } from './support/tiny-model.ts';

const script = fileURLToPath(new URL('support/obtain-process.ts', import.meta.url));

t.test('a disk that fills up in mid-download is one clear line, and with more room the download goes on', async (t) => {
  const files = tinyModel(3_000_000);
  const hub = await fakeHub(t, files, { slowly: 50_000 });
  const cache = t.testdir();
  const environment = { PREAMBLE_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' };
  const obtain = `'${process.execPath}' '${script}' ${repository}`;
  const ran = await inOwnNamespace(
    `mount -t tmpfs -o size=2m tmpfs '${cache}' && ${obtain}; echo "code $?"; cd '${cache}' && find . -type f -size +0;
     mount -o remount,size=8m '${cache}' && ${obtain}; echo "code $?"; find . -type f -size +1000c`,
    environment,
  );
  // unwritable-cache.test.ts has a full disk of another kind.
  if (ran === null) return void t.pass('no file system of its own here');
  const { stdout, stderr } = ran;
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
