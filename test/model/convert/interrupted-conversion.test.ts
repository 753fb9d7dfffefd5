import { execFile } from 'node:child_process';
import { readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { convertGguf } from '../../../src/model/convert/gguf-to-huggingface.ts';
import { ggufFixture } from './gguf-fixture.ts';

const gguf = ggufFixture('tiny-llama');
const converter = new URL('../../../src/model/convert/gguf-to-huggingface.ts', import.meta.url).href;

t.test('kill -9 leaves nothing that passes for a model, and the next conversion succeeds', async (t) => {
  const parent = t.testdir();
  const target = join(parent, 'model');
  const script = `
    const { convertGguf } = await import(${JSON.stringify(converter)});
    await convertGguf(${JSON.stringify(gguf)}, ${JSON.stringify(target)}, {
      onProgress: (done, total) => { if (done === total) process.kill(process.pid, 'SIGKILL'); },
    });`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  t.match(await run.catch((error: unknown) => error), { signal: 'SIGKILL' });

  const [left, ...others] = await readdir(parent);
  t.match(left, /^model\..+\.partial$/);
  t.same(others, []);
  const leftover = join(parent, left ?? '');
  t.notOk((await readdir(leftover)).includes('model.safetensors'), 'the weights have no final name either');

  await convertGguf(gguf, target);
  t.same((await readdir(parent)).sort(), ['model', left], 'what may belong to another process stays');
  t.ok((await stat(join(target, 'model.safetensors'))).isFile());
});

t.test('what was left long ago is deleted', async (t) => {
  const parent = t.testdir({ 'model.1.partial': { 'config.json': '{}' }, 'model2.1.partial': {}, 'model.old': {} });
  for (const name of await readdir(parent)) await utimes(join(parent, name), 0, 0);
  await convertGguf(gguf, join(parent, 'model'));
  t.same((await readdir(parent)).sort(), ['model', 'model.old', 'model2.1.partial']);
});

t.test('a signal ends it with its reason and leaves nothing', async (t) => {
  const parent = t.testdir();
  const abort = new AbortController();
  const reason = new Error('the person pressed Ctrl-C');
  const onProgress = () => abort.abort(reason);
  await t.rejects(convertGguf(gguf, join(parent, 'model'), { onProgress, signal: abort.signal }), reason);
  t.same(await readdir(parent), []);
});

t.test('a directory that holds something is left as it is', async (t) => {
  const parent = t.testdir({ model: { 'notes.txt': 'mine' } });
  await t.rejects(convertGguf(gguf, join(parent, 'model')), { code: 'file_unwritable', message: /is not empty/ });
  t.same(await readdir(join(parent, 'model')), ['notes.txt']);
  t.same(await readdir(parent), ['model']);
});

t.test('a target inside a file is refused with its name', async (t) => {
  const parent = t.testdir({ file: '' });
  await t.rejects(convertGguf(gguf, join(parent, 'file', 'model')), {
    code: 'file_unwritable',
    message: /file\/model/,
  });
});
