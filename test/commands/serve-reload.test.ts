import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenAI } from 'openai';
import t, { type Test } from 'tap';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { until } from '../helpers/build.ts';
import { type CliProcess, serving, startCli } from '../helpers/serve-process.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';

const yaml = (alias: string, more = '') => `listen: { port: 0 }
models:
  tiny:
    prompt: null
    onPromptUnavailable: refuse
    aliases: [${alias}]
    backend: { kind: embedded, model: ./model, weights: float32, threads: 1 }
${more}`;

async function start(t: Test, files: Record<string, string> = { 'preamble.yaml': yaml('first') }) {
  const directory = t.testdir({ model: await tinyChatModel(), ...files });
  const cli = startCli(t, directory, ['serve']);
  const origin = await serving(cli);
  const models = async (): Promise<string[]> => {
    const { data } = await new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'none' }).models.list();
    return data.map(({ id }) => id);
  };
  return { directory, cli, origin, models };
}

const lines = (cli: CliProcess, event: string) => cli.logs().filter((line) => line['event'] === event);

async function reloaded(cli: CliProcess, times: number): Promise<void> {
  await until(() => lines(cli, 'config.reloaded').length >= times);
}

t.test('a file that is written, or renamed into place, takes effect', async (t) => {
  const { directory, cli, models } = await start(t);
  t.same(await models(), ['tiny', 'first']);
  const file = join(directory, 'preamble.yaml');
  await writeFile(file, yaml('second'));
  await reloaded(cli, 1);
  t.same(await models(), ['tiny', 'second']);
  // As vim and most editors do.
  await writeFile(`${file}.new`, yaml('third'));
  await rename(`${file}.new`, file);
  await reloaded(cli, 2);
  t.same(await models(), ['tiny', 'third']);
  await rm(file);
  await until(() => lines(cli, 'config.refused').length === 1);
  await writeFile(file, yaml('fourth'));
  await reloaded(cli, 3);
  t.same(await models(), ['tiny', 'fourth'], 'one that was gone for a while too');
});

t.test("Kubernetes' mount: the file is a link into a directory that another takes the place of", async (t) => {
  const directory = t.testdir({ model: await tinyChatModel(), config: {} });
  const config = join(directory, 'config');
  const publish = async (version: string, alias: string) => {
    await mkdir(join(config, version));
    await writeFile(join(config, version, 'preamble.yaml'), yaml(alias).replace('./model', join(directory, 'model')));
    await symlink(version, join(config, '..data_tmp'));
    await rename(join(config, '..data_tmp'), join(config, '..data'));
  };
  await publish('..2026_01', 'first');
  await symlink('..data/preamble.yaml', join(config, 'preamble.yaml'));
  const cli = startCli(t, directory, ['serve', '--config', 'config/preamble.yaml']);
  const origin = await serving(cli);
  await publish('..2026_02', 'second');
  await rm(join(config, '..2026_01'), { recursive: true });
  await reloaded(cli, 1);
  t.match(await (await fetch(`${origin}/v1/models`)).json(), { data: [{ id: 'tiny' }, { id: 'second' }] });
});

t.test('SIGHUP reads the file anew though it is the same', async (t) => {
  const { cli, models } = await start(t);
  cli.child.kill('SIGHUP');
  await reloaded(cli, 1);
  t.match(lines(cli, 'config.reloaded'), [{ generation: 2, file: 'preamble.yaml' }]);
  t.same(await models(), ['tiny', 'first']);
  cli.child.kill('SIGTERM');
  t.equal(await cli.ended, 0);
});

t.test(
  'one that is wrong is refused with one line, which says where and what was expected; the old one stays',
  async (t) => {
    const { directory, cli, models } = await start(t);
    const cases: [text: string, reason: RegExp][] = [
      [yaml('x', 'limits: { bodyBytes: many }'), /^preamble\.yaml:8: limits\.bodyBytes must be integer\. /],
      [yaml('x', 'limit: {}'), /^preamble\.yaml:8: limit is not a setting\. Did you mean limits\?/],
      [yaml('tiny'), /^preamble\.yaml:6: models\.tiny\.aliases: tiny is the name of another model/],
      [yaml('x').replace('prompt: null', 'prompt: nowhere'), /^There is no prompt "nowhere"\. There are: /],
      [yaml('x').replace('./model', './absent'), /absent does not exist/],
      ['models: [', /^preamble\.yaml:1: /],
      ['', /^preamble\.yaml is empty\. /],
      [yaml('x', 'tenants: [{ id: web, keys: [plain-text-key-of-web] }]'), /^preamble\.yaml:8: tenants\.0\.keys\.0 /],
    ];
    for (const [index, [text, reason]] of cases.entries()) {
      await writeFile(join(directory, 'preamble.yaml'), text);
      await until(() => lines(cli, 'config.refused').length > index);
      t.match(lines(cli, 'config.refused').at(-1)?.['reason'], reason);
      t.same(await models(), ['tiny', 'first']);
    }
    t.equal(lines(cli, 'config.refused').length, cases.length);
    t.equal(lines(cli, 'config.reloaded').length, 0);
    t.notMatch(cli.stderr(), /plain-text-key/);
    await writeFile(join(directory, 'preamble.yaml'), yaml('second'));
    await reloaded(cli, 1);
    t.same(await models(), ['tiny', 'second']);
  },
);

t.test('keys come and go', async (t) => {
  const tenants = (key: string) => `tenants: [{ id: web, keys: ["${keyDigest(key)}"] }]`;
  const { directory, cli, origin } = await start(t, { 'preamble.yaml': yaml('first', tenants('pmb_one')) });
  const status = async (key: string) =>
    (await fetch(`${origin}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status;
  t.same([await status('pmb_one'), await status('pmb_two')], [200, 401]);
  await writeFile(join(directory, 'preamble.yaml'), yaml('first', tenants('pmb_two')));
  await reloaded(cli, 1);
  t.same([await status('pmb_one'), await status('pmb_two')], [401, 200]);
  t.notMatch(cli.stdout() + cli.stderr(), /pmb_/);
});
