import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import Type from 'typebox';
import { Compile } from 'typebox/schema';
import { Value } from 'typebox/value';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { isObject } from '../../src/openai/validate.ts';
import { version } from '../../src/version.ts';
import { dockerFolder, readYaml } from './support/files.ts';

const folder = join(dockerFolder, 'kubernetes');
const charts = ['preamble', 'training-sweep'];
/** Of other people's charts. */
const foreign = ['production-stack.values.yaml', 'prometheus-adapter.values.yaml'];

async function examples(): Promise<string[]> {
  const files = await readdir(join(folder, 'examples'));
  return files.filter((file) => file.endsWith('.values.yaml') && !foreign.includes(file));
}

/** As Helm lays one file of values over another. */
function merged(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const copy: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) copy[key] = merged(base[key], value);
  return copy;
}

async function checkerOf(chart: string) {
  const schema: unknown = JSON.parse(await readFile(join(folder, chart, 'values.schema.json'), 'utf8'));
  const defaults = await readYaml(`kubernetes/${chart}/values.yaml`);
  const checker = Compile(isObject(schema) ? schema : {});
  return (values: unknown) => checker.Check(merged(defaults, values));
}

t.test('charts have the version of the program', async (t) => {
  for (const chart of charts) {
    t.match(
      await readYaml(`kubernetes/${chart}/Chart.yaml`),
      { name: /^preamble/, version, appVersion: version },
      chart,
    );
  }
});

t.test('the chart carries the rules and boards that there are, not copies', async (t) => {
  const files = join(folder, 'preamble', 'files');
  t.same((await readdir(files)).sort(), ['preamble-logs.json', 'preamble-metrics.json', 'rules.yaml']);
  for (const [link, original] of [
    ['rules.yaml', 'prometheus/rules.yaml'],
    ['preamble-logs.json', 'grafana/preamble-logs.json'],
    ['preamble-metrics.json', 'grafana/preamble-metrics.json'],
  ] as const) {
    t.equal(await readFile(join(files, link), 'utf8'), await readFile(join(dockerFolder, original), 'utf8'), link);
  }
});

t.test('examples are values that the charts take', async (t) => {
  t.ok((await examples()).length >= 5);
  for (const file of await examples()) {
    const check = await checkerOf(file.startsWith('training-sweep') ? 'training-sweep' : 'preamble');
    t.equal(check(await readYaml(`kubernetes/examples/${file}`)), true, file);
  }
});

t.test('by themselves the charts start nothing: who may ask, and what is trained, must be said', async (t) => {
  for (const chart of charts) t.equal((await checkerOf(chart))({}), false, chart);
  const check = await checkerOf('preamble');
  const values = await readYaml('kubernetes/examples/embedded.values.yaml');
  t.equal(check(values), true);
  t.equal(check(merged(values, { adminService: { passwordSecret: 'preamble-operators' } })), true);
  for (const wrong of [
    { config: { tenants: [] } },
    { config: { listen: { port: 1 } } },
    { image: { tag: 'latest' } },
    { replcas: 3 },
    { httpRoute: { enabled: true } },
    { adminService: { passwordSecret: 'Not a name' } },
    { adminService: { password: 'hunter2' } },
  ]) {
    t.equal(check(merged(values, wrong)), false, JSON.stringify(wrong));
  }
});

t.test("the examples' settings are what preamble takes", async (t) => {
  const listeners = { listen: { host: '0.0.0.0', port: 8080 }, admin: { host: '0.0.0.0', port: 8081 } };
  for (const file of (await examples()).filter((name) => !name.startsWith('training-sweep'))) {
    const schema = Type.Object({ config: Type.Object({}) });
    const { config } = Value.Parse(schema, await readYaml(`kubernetes/examples/${file}`));
    const path = join(t.testdir(), 'preamble.yaml');
    await writeFile(path, stringify({ ...config, ...listeners }));
    await t.resolves(loadConfig({ file: path, environment: {} }), file);
  }
});
