import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { signManifest } from '../../src/prompts/signature.ts';
import { filesBelow } from '../model/obtain/support/environment.ts';
import { content, rows, writeTiny } from './support/tiny.ts';

const files = ['tiny/careful/1.0.0/prompt.json', 'tiny/careful/1.0.0/prompt.safetensors'];

t.test('a version never changes', async (t) => {
  const root = t.testdir();
  const first = await writeTiny(root);
  const before = await readFile(join(first.directory, 'prompt.json'), 'utf8');
  t.equal(first.isNew, true);
  t.match(await writeTiny(root), { isNew: false, digest: first.digest }, 'the same content, later');
  const { privateKey } = generateKeyPairSync('ed25519');
  t.match(
    await writePrompt(root, content, rows(), { sign: (manifest) => signManifest(manifest, privateKey) }),
    { isNew: false },
    'a signature is not content',
  );
  await t.rejects(writeTiny(root, { text: 'Be unkind.' }), { code: 'file_unwritable', message: /exists already/ });
  await t.rejects(writePrompt(root, content, rows(2)), { code: 'file_unwritable', action: /new version/ });
  t.equal(await readFile(join(first.directory, 'prompt.json'), 'utf8'), before);
  t.strictSame(await filesBelow(root), files, 'and nothing else is left behind');
});

t.test('writers of the same version at the same time agree', async (t) => {
  const root = t.testdir();
  const all = await Promise.all(Array.from({ length: 8 }, () => writeTiny(root)));
  t.equal(all.filter((written) => written.isNew).length, 1);
  t.equal(new Set(all.map((written) => written.digest)).size, 1);
  t.strictSame(await filesBelow(root), files);
});

t.test('what may not be read is not written', async (t) => {
  const root = t.testdir();
  const bad = rows(3, (values) => {
    values[0] = Number.NaN;
  });
  await t.rejects(writePrompt(root, content, bad), { code: 'prompt_invalid', message: /row 0/ });
  for (const name of ['../out', 'a/../../out', '/absolute', 'a//b', '.hidden', 'a/', 'a@b', 'a/b/c/d/e', '']) {
    await t.rejects(writeTiny(root, { name }), { code: 'prompt_invalid' }, `name ${JSON.stringify(name)}`);
  }
  await t.rejects(writeTiny(root, { version: '../1.0.0' }), { code: 'prompt_invalid' });
  t.strictSame(await readdir(root), []);
});

t.test('a place that cannot be written is named', async (t) => {
  const root = t.testdir({ file: 'not a directory' });
  await t.rejects(writeTiny(join(root, 'file')), { code: 'file_unwritable', message: /Cannot write below/ });
  await writeFile(join(root, 'tiny'), '');
  await t.rejects(writeTiny(root), { code: 'file_unwritable' });
});
