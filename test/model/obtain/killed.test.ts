import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { filesBelow } from './support/environment.ts';
import { fakeHub, repository } from './support/fake-hub.ts';
import { startObtaining } from './support/start-process.ts';
import { tinyModel, weightsOf } from './support/tiny-model.ts';

t.test('kill -9 in mid-download leaves a partial file that the next process goes on with', async (t) => {
  const files = tinyModel(2_000_000);
  const hub = await fakeHub(t, files, { slowly: 20_000 });
  const cache = t.testdir();
  const environment = { PREAMBLE_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' };

  const first = startObtaining(t, repository, environment);
  const part = join(cache, 'staging', 'tiny--model@hub-aaaaaaaaaaaa', 'model.safetensors.part');
  while (((await stat(part).catch(() => null))?.size ?? 0) < 200_000) await sleep(10);
  first.child.kill('SIGKILL');
  t.equal(await first.ended, 'SIGKILL');
  const { size } = await stat(part);
  const left = await filesBelow(cache);
  t.notOk(
    left.some((file) => file.startsWith('models/') || file.endsWith('model.safetensors')),
    left.join(),
  );

  const second = startObtaining(t, repository, environment);
  t.equal(await second.ended, 0, 'the dead process’ lock is taken over');
  t.match(second.lines.at(-1), { id: repository, source: 'hub' });
  t.same(hub.weightRequests, [null, `bytes=${size}-`]);
  t.same(await readFile(join(cache, 'models', 'tiny--model', 'model.safetensors')), weightsOf(files));
  t.notOk((await filesBelow(cache)).some((file) => file.endsWith('.part')));
});
