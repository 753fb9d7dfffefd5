import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { ModelEvent } from '../../../src/model/obtain/events.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { readProvenance } from '../../../src/model/provenance.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';
import { fakeHub, repository, revision } from './support/fake-hub.ts';
import { tinyEmbeddingsSha256, tinyModel } from './support/tiny-model.ts';

t.test('a repository is fetched from the hub once, recorded, and then comes from the cache', async (t) => {
  const cache = t.testdir({
    staging: { 'tiny--model@hub-older': { 'model.safetensors.part': 'of another revision' } },
  });
  const files = tinyModel();
  const hub = await fakeHub(t, [...files, { name: 'README.md', bytes: Buffer.from('not fetched') }]);
  setEnvironment(t, { PREAMBLE_CACHE: cache, HF_ENDPOINT: `${hub.endpoint}/`, HF_HUB_OFFLINE: '0' });
  const events: ModelEvent[] = [];

  const first = await obtainModel(repository, { onEvent: (event) => events.push(event) });
  t.match(first, { id: repository, source: 'hub', directory: join(cache, 'models', 'tiny--model') });
  for (const { name, bytes } of files) t.same(await readFile(join(first.directory, name)), bytes, name);
  t.match(await readProvenance(first.directory), {
    format: 'preamble.model/1',
    id: repository,
    source: { kind: 'hub', repository, revision },
    embeddingsSha256: tinyEmbeddingsSha256,
  });
  t.same(
    (await filesBelow(cache)).map((file) => file.replace('models/tiny--model/', '')),
    ['config.json', 'model.safetensors', 'preamble-model.json', 'tokenizer.json'],
    'nothing else is left in the cache',
  );
  const downloads = events.filter((event) => event.kind === 'progress' && event.step === 'download');
  const done = downloads.map((event) => (event.kind === 'progress' ? event.done : 0));
  t.same(
    done,
    done.toSorted((a, b) => a - b),
    'progress only grows',
  );
  t.equal(
    done.at(-1),
    files.reduce((sum, file) => sum + file.bytes.length, 0),
  );

  const requests = hub.requests;
  t.match(await obtainModel(repository), { id: repository, source: 'cache', directory: first.directory });
  t.match(await obtainModel(repository, { offline: true }), { source: 'cache' });
  t.equal(hub.requests, requests, 'the cache asks nobody');
});

t.test('a file that is missing from the cache is fetched again', async (t) => {
  const hub = await fakeHub(t, tinyModel());
  setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
  const { directory } = await obtainModel(repository);
  await rm(join(directory, 'tokenizer.json'));
  await t.rejects(obtainModel(repository, { offline: true }), { code: 'model_unavailable' });
  const notices: string[] = [];
  const onEvent = (event: ModelEvent) => event.kind === 'notice' && notices.push(event.message);
  t.match(await obtainModel(repository, { onEvent }), { source: 'hub', directory });
  t.match(notices, [/damaged \(tokenizer\.json: missing\); fetching it again/]);
  t.ok((await filesBelow(directory)).includes('tokenizer.json'));
});

t.test('a name that the hub does not have is a clear error', async (t) => {
  const hub = await fakeHub(t, tinyModel());
  setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
  await t.rejects(obtainModel('tiny/other'), { code: 'model_unavailable', message: /does not have \/tiny\/other/ });
});
