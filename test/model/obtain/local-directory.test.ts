import { basename, join } from 'node:path';
import t from 'tap';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';

t.test('a directory is used where it lies, and the cache is not touched', async (t) => {
  const root = t.testdir({
    cache: {},
    plain: { 'config.json': '{"model_type":"llama"}' },
    named: { 'config.json': '{"_name_or_path":"some/model"}' },
    broken: { 'config.json': 'not json' },
  });
  setEnvironment(t, { PREAMBLE_CACHE: join(root, 'cache'), HF_ENDPOINT: 'https://hub.invalid' });
  for (const [folder, id] of Object.entries({ plain: 'plain', named: 'some/model', broken: 'broken' })) {
    const directory = join(root, folder);
    t.same(await obtainModel(directory), { id, directory, source: 'directory' });
    t.equal(basename(directory), folder);
  }
  t.same(await filesBelow(join(root, 'cache')), []);
});

t.test('a path that leads to no model says why', async (t) => {
  const root = t.testdir({ empty: {}, 'file.bin': '', 'model.gguf': 'GGUF' });
  const failing = (path: string) => obtainModel(join(root, path));
  await t.rejects(failing('absent'), { code: 'file_unreadable', message: /absent does not exist/ });
  await t.rejects(failing('empty'), { code: 'file_unreadable', message: /has no config\.json/ });
  await t.rejects(failing('file.bin'), { code: 'file_unreadable', message: /is not a directory/ });
  await t.rejects(failing('model.gguf'), { code: 'file_unreadable', message: /converted once/ });
});
