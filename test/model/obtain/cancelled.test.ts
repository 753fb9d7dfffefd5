import t from 'tap';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';
import { fakeHub, repository } from './support/fake-hub.ts';
import { tinyModel } from './support/tiny-model.ts';

t.test('an abort stops the download, keeps what came, and frees the lock at once', async (t) => {
  const hub = await fakeHub(t, tinyModel(1_000_000), { slowly: 10_000 });
  const cache = t.testdir();
  setEnvironment(t, { PREAMBLE_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
  const abort = new AbortController();
  const obtaining = obtainModel(repository, {
    signal: abort.signal,
    onEvent: (event) => event.kind === 'progress' && event.done > 100_000 && abort.abort(),
  });
  await t.rejects(obtaining, { code: 'cancelled' });
  t.ok((await filesBelow(cache)).some((file) => file.endsWith('model.safetensors.part')));
  const start = Date.now();
  t.match(await obtainModel(repository), { source: 'hub' });
  t.ok(Date.now() - start < 5000, 'nothing waits for a stale lock');
  t.match(hub.weightRequests, [null, /^bytes=[1-9]\d{4,}-$/]);
});

t.test('a signal that is aborted already stops it before it starts', async (t) => {
  setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: 'https://hub.invalid', HF_HUB_OFFLINE: '0' });
  await t.rejects(obtainModel(repository, { signal: AbortSignal.abort() }), { code: 'cancelled' });
});
