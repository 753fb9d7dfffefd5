import { readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openQuantizedFile } from '../../../src/engine/decoder/quantized-file.ts';
import { describe, PreambleError } from '../../../src/errors.ts';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { inOwnNamespace } from '../../helpers/own-namespace.ts';
import { tinyChatModel } from '../../helpers/tiny-model.ts';

const NAME = 'weights-8bit.safetensors';

t.test('weights are quantised once, beside the model, and again when they or the file have changed', async (t) => {
  const root = t.testdir({ model: await tinyChatModel(), cache: {} });
  const open = async () => openQuantizedFile(await openCheckpoint(join(root, 'model')), 8, join(root, 'cache'));
  const first = await open();
  t.equal(first.folder, join(root, 'model/.preamble'));
  const path = join(first.folder, NAME);
  const { ino, size } = await stat(path);
  await open();
  t.equal((await stat(path)).ino, ino, 'the same file');

  for (const damage of [
    () => truncate(path, size - 1),
    () => truncate(path, 4),
    () => writeFile(path, 'nonsense'),
    () => utimes(join(root, 'model/model.safetensors'), 1, 1),
  ]) {
    const before = (await stat(path)).ino;
    await damage();
    const again = await open();
    t.strictSame([...again.tensors], [...first.tensors]);
    const after = await stat(path);
    t.not(after.ino, before, 'made anew');
    t.equal(after.size, size);
  }
  t.strictSame(await readdir(first.folder), [NAME], 'nothing else is left');
});

t.test(
  'where the model’s directory cannot be written, the cache is; where neither can, one line says so',
  async (t) => {
    const root = t.testdir({ model: { ...(await tinyChatModel()), '.preamble': 'a file' }, cache: {} });
    const checkpoint = await openCheckpoint(join(root, 'model'));
    const { folder } = await openQuantizedFile(checkpoint, 8, join(root, 'cache'));
    t.match(folder, RegExp(`^${join(root, 'cache/weights/model-')}[0-9a-f]{16}$`));
    const error: unknown = await openQuantizedFile(checkpoint, 8, '/dev/null').catch((thrown) => thrown);
    if (!(error instanceof PreambleError)) return void t.fail(String(error));
    t.equal(error.code, 'file_unwritable');
    t.match(describe(error), /^Neither \S+\.preamble nor \/dev\/null\/\S+ can be written: .*set PREAMBLE_CACHE/);
    t.notMatch(describe(error), /\n/);
  },
);

t.test(
  'a disk that fills up meanwhile is one line at the start of the server, and leaves nothing behind',
  async (t) => {
    const root = t.testdir({
      model: { ...(await tinyChatModel()), '.preamble': {} },
      'preamble.yaml': `models:
  tiny: { prompt: null, onPromptUnavailable: refuse, backend: { kind: embedded, model: ./model } }
log: { level: silent }
`,
    });
    const entry = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
    const folder = join(root, 'model/.preamble');
    const ran = await inOwnNamespace(
      `mount -t tmpfs -o size=8k tmpfs '${folder}' && cd '${root}' && '${process.execPath}' '${entry}' serve --port 0; echo "code $?"; ls '${folder}'`,
    );
    if (ran === null) return void t.pass('no file system of its own here');
    t.match(ran.stderr, /^preamble: Cannot write \S+: ENOSPC[^\n]*\. Check the free space [^\n]*\n$/);
    t.match(ran.stdout, /\ncode 1\n$/);
    await rm(folder, { recursive: true });
  },
);
