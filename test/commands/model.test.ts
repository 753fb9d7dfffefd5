import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command, CommanderError } from 'commander';
import t, { type Test } from 'tap';
import { registerModelCommands } from '../../src/commands/model.ts';
import { filesBelow, setEnvironment } from '../model/obtain/support/environment.ts';
import { fakeHub, repository } from '../model/obtain/support/fake-hub.ts';
import { tinyModel, weightsOf } from '../model/obtain/support/tiny-model.ts';

const files = tinyModel();

async function model(...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  const program = new Command('preamble').exitOverride().configureOutput({ writeErr: () => {} });
  registerModelCommands(program, { stdout, stderr: new PassThrough() });
  for (const command of program.commands[0]?.commands ?? [])
    command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(['model', ...args], { from: 'user' });
  return String(stdout.read() ?? '');
}

async function withHub(t: Test): Promise<string> {
  const hub = await fakeHub(t, files);
  const cache = t.testdir({ folder: Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])) });
  setEnvironment(t, { PREAMBLE_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
  return cache;
}

t.test('add, list, path, verify and remove, for people and for programs', async (t) => {
  const cache = await withHub(t);
  const directory = join(cache, 'models', 'tiny--model');
  t.match(await model('list'), /^NAME.*\nsmollm2-135m-instruct .* 271 MB .*not fetched\n$/s);
  t.same(JSON.parse(await model('list', '--json')), []);

  t.equal(await model('add', repository), `${repository} came from the hub (${directory})\n`);
  t.match(JSON.parse(await model('add', repository, '--json')), { id: repository, source: 'cache', directory });
  t.match(await model('list'), /\ntiny\/model +tiny\/model +300 kB +hub +ok\n/);
  t.match(JSON.parse(await model('list', '--json')), [{ name: repository, source: 'hub', status: 'ok', directory }]);
  t.equal(await model('path', repository), `${directory}\n`);
  t.equal(await model('verify'), `${repository}: ok\n`);
  t.same(JSON.parse(await model('verify', repository, '--json')), [
    { name: repository, directory, ok: true, problems: [] },
  ]);

  t.equal(await model('remove', repository), `Removed ${repository}\n`);
  t.same(
    (await filesBelow(cache)).filter((file) => !file.startsWith('folder/')),
    [],
  );
  await t.rejects(model('path', repository), { code: 'model_not_found' });
  await t.rejects(model('remove', repository), { code: 'model_not_found' });
  await t.rejects(model('path', 'smollm2-135m-instruct'), { code: 'model_not_found', message: /has not been fetched/ });
});

t.test('a directory gets a name and stays where it is', async (t) => {
  const cache = await withHub(t);
  const folder = join(cache, 'folder');
  const before = await filesBelow(folder);
  t.match(JSON.parse(await model('add', folder, '--name', 'mine', '--json')), { name: 'mine', directory: folder });
  t.equal(await model('path', 'mine'), `${folder}\n`);
  await t.rejects(model('add', folder, '--name', 'mine'), { code: 'invalid_request', message: /is taken/ });
  await t.rejects(model('add', folder, '--name', '../x'), { code: 'invalid_request' });
  await t.rejects(model('add', folder, '--name', 'smollm2-135m-instruct'), {
    code: 'invalid_request',
    message: /known/,
  });
  await model('remove', 'mine');
  t.same(await filesBelow(folder), before);
});

t.test('verify finds a changed byte and fails', async (t) => {
  const cache = await withHub(t);
  await model('add', repository);
  const weights = Buffer.from(weightsOf(files));
  weights[weights.length - 1] = (weights.at(-1) ?? 0) ^ 1;
  await writeFile(join(cache, 'models', 'tiny--model', 'model.safetensors'), weights);
  await t.rejects(model('verify'), { code: 'digest_mismatch', message: 'Damaged: tiny/model.' });
});

t.test('a broken record does not hide the other models, and can be removed', async (t) => {
  const cache = await withHub(t);
  await model('add', repository);
  await model('add', join(cache, 'folder'), '--name', 'mine');
  await writeFile(join(cache, 'models', 'tiny--model', 'preamble-model.json'), '{');
  t.match(await model('list'), /\ntiny\/model .*damaged\n/);
  t.match(JSON.parse(await model('list', '--json')), [{ name: 'mine' }, { name: repository, status: 'damaged' }]);
  await t.rejects(model('verify'), { message: 'Damaged: tiny/model.' });
  await t.rejects(model('path', repository), { code: 'format_invalid', message: /not JSON/ });
  await model('remove', repository);
  t.equal(await model('verify'), 'mine: ok\n');
});

t.test('what is not a model is refused in one line', async (t) => {
  const cache = await withHub(t);
  await t.rejects(model('add', 'nothing-of-that-name'), { code: 'model_not_found' });
  await t.rejects(model('add', join(cache, 'models')), { code: 'file_unreadable' });
  await t.rejects(model('add', repository, '--name', 'x'), { code: 'invalid_request' });
  await t.rejects(model('add', repository, '--source', 'ftp'), CommanderError);
  await t.rejects(model('add'), CommanderError);
});
