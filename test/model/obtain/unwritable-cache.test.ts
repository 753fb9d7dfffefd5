import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { describe, PreambleError } from '../../../src/errors.ts';
import { writeError } from '../../../src/model/obtain/file-errors.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { setEnvironment } from './support/environment.ts';
import { fakeHub, repository } from './support/fake-hub.ts';
import { tinyModel } from './support/tiny-model.ts';

t.test('a cache that cannot be written is one clear line, before anything is fetched', async (t) => {
  const hub = await fakeHub(t, tinyModel());
  const root = t.testdir({ file: 'not a folder' });
  for (const cache of [join(root, 'file'), join(root, 'file', 'below'), '/dev/null/cache']) {
    setEnvironment(t, { PREAMBLE_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
    const error: unknown = await obtainModel(repository).catch((thrown) => thrown);
    if (!(error instanceof PreambleError)) return void t.fail(String(error));
    t.equal(error.code, 'file_unwritable');
    t.match(describe(error), `${cache} cannot be written`);
    t.match(describe(error), /set PREAMBLE_CACHE to one that is\.$/);
  }
  t.equal(hub.requests, 0);
});

t.test('a full disk is one clear line, and no other source is tried', async (t) => {
  // Linux has a device that answers every write with a real ENOSPC; elsewhere the message is made from the same system code.
  if (!existsSync('/dev/full')) {
    const error = writeError(Object.assign(new Error('write failed'), { code: 'ENOSPC' }), '/cache');
    t.match(error, { code: 'file_unwritable', message: /disk .* is full/ });
    return;
  }
  const hub = await fakeHub(t, tinyModel());
  const cache = t.testdir();
  setEnvironment(t, { PREAMBLE_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
  const staging = join(cache, 'staging', 'tiny--model@hub-aaaaaaaaaaaa');
  await mkdir(staging, { recursive: true });
  await symlink('/dev/full', join(staging, 'model.safetensors.part'));
  await t.rejects(obtainModel(repository), {
    code: 'file_unwritable',
    message: `The disk that holds ${cache} is full.`,
    action: /^Free space there .* or set PREAMBLE_CACHE/,
  });
  t.equal(hub.weightRequests.length, 1);
});

t.test('a disk that fills up while a GGUF is converted gets the same line', async (t) => {
  const cause = Object.assign(new Error('write failed'), { code: 'ENOSPC' });
  const conversion = new PreambleError('file_unwritable', 'Cannot write there.', { cause });
  t.match(writeError(conversion, '/cache'), { message: 'The disk that holds /cache is full.' });
  const other = new PreambleError('format_invalid', 'Not a GGUF file.', { cause: new Error('magic') });
  t.equal(writeError(other, '/cache'), other);
});
