import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { shippedPromptDirectory } from '../../src/prompts/shipped.ts';
import { writeTiny } from './support/tiny.ts';

t.test('a name means its newest stable version', async (t) => {
  const root = t.testdir();
  for (const version of ['1.2.0', '1.10.0', '2.0.0-rc.1']) await writeTiny(root, { version });
  await writeTiny(root, { name: 'tiny/new', version: '0.1.0-alpha.2' });
  await writeTiny(root, { name: 'tiny/new', version: '0.1.0-alpha.10' });
  const registry = await openPromptRegistry([root]);
  t.equal(registry.resolve('tiny/careful').label, 'tiny/careful@1.10.0');
  t.equal(registry.resolve('tiny/careful@2.0.0-rc.1').version, '2.0.0-rc.1');
  t.equal(registry.resolve('tiny/new').version, '0.1.0-alpha.10', 'where none is stable, the newest');
  t.strictSame(
    registry.versions.map((version) => version.label),
    [
      'tiny/careful@2.0.0-rc.1',
      'tiny/careful@1.10.0',
      'tiny/careful@1.2.0',
      'tiny/new@0.1.0-alpha.10',
      'tiny/new@0.1.0-alpha.2',
    ],
  );
});

t.test('what is not there is refused, with what is', async (t) => {
  const root = t.testdir();
  await writeTiny(root);
  const registry = await openPromptRegistry([root]);
  const code = 'prompt_not_found';
  t.throws(() => registry.resolve('tiny/other'), {
    code,
    message: /no prompt "tiny\/other". There are: tiny\/careful/,
  });
  t.throws(() => registry.resolve('tiny/careful@9.0.0'), { code, message: /There are: tiny\/careful@1\.0\.0/ });
  for (const reference of ['../etc', 'tiny/careful@latest', 'a@1.0.0@2.0.0', '', '/']) {
    t.throws(() => registry.resolve(reference), { code }, reference);
  }
  const empty = await openPromptRegistry([]);
  t.throws(() => empty.resolve('a'), { code, message: /There are none/ });
  await t.rejects(openPromptRegistry([join(root, 'absent')]), { code: 'file_unreadable' });
});

t.test('rows are read when asked for, once, and again after a failure', async (t) => {
  const root = t.testdir();
  const { directory, digest } = await writeTiny(root);
  const prompt = (await openPromptRegistry([root])).resolve('tiny/careful');
  const file = join(directory, 'prompt.safetensors');
  await rename(file, `${file}.away`);
  await t.rejects(prompt.load(), { code: 'file_unreadable' });
  await rename(`${file}.away`, file);
  const loaded = await prompt.load();
  t.match(loaded, { label: 'tiny/careful@1.0.0', digest, tokens: 3 });
  await rm(file);
  t.equal(await prompt.load(), loaded);
});

t.test('a damaged version is never passed over for an older one', async (t) => {
  const root = t.testdir();
  await writeTiny(root);
  const newer = await writeTiny(root, { version: '1.1.0' });
  await writeFile(join(newer.directory, 'prompt.json'), '{');
  const registry = await openPromptRegistry([root]);
  t.match(registry.broken, [{ label: 'tiny/careful@1.1.0' }]);
  t.throws(() => registry.resolve('tiny/careful'), { code: 'prompt_invalid' });
  t.equal(registry.resolve('tiny/careful@1.0.0').version, '1.0.0');
  await rm(join(newer.directory, 'prompt.json'));
  const reopened = await openPromptRegistry([root]);
  t.throws(() => reopened.resolve('tiny/careful'), { code: 'file_unreadable' }, 'nor is one that lost its manifest');
});

t.test('a version must stand where its manifest says', async (t) => {
  const root = t.testdir();
  const { directory } = await writeTiny(root);
  await mkdir(join(root, 'tiny/other'));
  await rename(directory, join(root, 'tiny/other/1.0.0'));
  const registry = await openPromptRegistry([root]);
  t.throws(() => registry.resolve('tiny/other'), {
    code: 'prompt_invalid',
    message: /its place says tiny\/other@1\.0\.0/,
  });
});

t.test('several directories are one registry, unless they contradict each other', async (t) => {
  const root = t.testdir({ a: {}, b: {}, c: {} });
  const a = join(root, 'a');
  const b = join(root, 'b');
  const c = join(root, 'c');
  const { directory } = await writeTiny(a);
  await writeTiny(b, { name: 'tiny/second' });
  await mkdir(join(c, 'tiny/careful'), { recursive: true });
  await symlink(directory, join(c, 'tiny/careful/1.0.0'));
  const same = await openPromptRegistry([a, b, c, a]);
  t.strictSame(
    same.versions.map((version) => version.name),
    ['tiny/careful', 'tiny/second'],
  );
  t.strictSame(same.broken, []);

  await writeTiny(b, { text: 'Be unkind.' });
  const contradicting = await openPromptRegistry([a, b]);
  t.throws(() => contradicting.resolve('tiny/careful'), { code: 'prompt_invalid', message: /with other content/ });
  t.equal(contradicting.resolve('tiny/second').version, '1.0.0');
});

t.test('the shipped prompts are whole', async (t) => {
  const registry = await openPromptRegistry([shippedPromptDirectory]);
  t.strictSame(registry.broken, []);
  for (const name of ['smollm2-135m/careful', 'smollm2-135m/brief', 'smollm2-135m/firm']) {
    const prompt = registry.resolve(name);
    const { tokens, hiddenSize } = await prompt.load();
    t.equal(hiddenSize, 576);
    t.ok(tokens > 10 && tokens < 200, `${name} has ${tokens} virtual tokens`);
    t.equal(prompt.manifest.model.id, 'HuggingFaceTB/SmolLM2-135M-Instruct');
  }
});
