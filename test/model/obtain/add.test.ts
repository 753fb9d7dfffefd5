import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { addDirectory, addGguf } from '../../../src/model/obtain/add.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { readProvenance, verifyFiles } from '../../../src/model/provenance.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';
import { tinyEmbeddingsSha256, tinyModel } from './support/tiny-model.ts';
import { sha256 } from './support/tiny-wheel.ts';

const gguf = fileURLToPath(new URL('../../fixtures/gguf/tiny-llama.gguf', import.meta.url));

t.test('a GGUF file is converted once and found by its name from then on', async (t) => {
  const cache = t.testdir();
  setEnvironment(t, { PREAMBLE_CACHE: cache, HF_ENDPOINT: 'https://hub.invalid', HF_HUB_OFFLINE: '0' });
  const { directory, provenance } = await addGguf(gguf);
  const digest = sha256(await readFile(gguf));
  t.match(provenance, { id: 'tiny-llama', source: { kind: 'gguf', file: 'tiny-llama.gguf', sha256: digest } });
  t.same(await verifyFiles(directory, provenance.files), []);
  t.same(await obtainModel('tiny-llama'), { id: 'tiny-llama', directory, source: 'cache' });
  t.notOk((await filesBelow(cache)).some((file) => file.startsWith('staging/')));
  await t.rejects(addGguf(gguf), { code: 'invalid_request', message: /is taken/ });
});

t.test('a broken GGUF file leaves nothing behind that could be taken for a model', async (t) => {
  const whole = await readFile(gguf);
  const cache = t.testdir({ 'cut.gguf': whole.subarray(0, whole.length / 2), 'text.gguf': 'GGUF? no' });
  setEnvironment(t, { PREAMBLE_CACHE: cache });
  for (const name of ['cut', 'text']) {
    await t.rejects(addGguf(join(cache, `${name}.gguf`)), { code: 'format_invalid' });
    await t.rejects(obtainModel(name), { code: 'model_not_found' });
  }
  await t.rejects(addGguf(join(cache, 'absent.gguf')), { code: 'file_unreadable', message: /absent\.gguf \(ENOENT\)/ });
  t.notOk((await filesBelow(cache)).some((file) => file.startsWith('models/')));
});

t.test('a directory is recorded, used in place, and told apart when it changes', async (t) => {
  const files = Object.fromEntries(tinyModel().map(({ name, bytes }) => [name, bytes]));
  const root = t.testdir({ cache: {}, model: files });
  setEnvironment(t, { PREAMBLE_CACHE: join(root, 'cache') });
  const directory = join(root, 'model');
  await addDirectory(directory, { name: 'mine' });
  t.match(await readProvenance(join(root, 'cache', 'models', 'mine')), {
    source: { kind: 'directory', path: directory },
    embeddingsSha256: tinyEmbeddingsSha256,
  });
  t.match(await obtainModel('mine'), { directory, source: 'cache' });
  t.equal(await readProvenance(directory), null, 'nothing is written into it');
  await rm(join(directory, 'tokenizer.json'));
  await t.rejects(obtainModel('mine'), { code: 'model_unavailable', message: /tokenizer\.json: missing/ });
});
