import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import t from 'tap';
import { parse } from 'yaml';
import { registerConfigCommands } from '../../src/commands/config.ts';
import { configSchema } from '../../src/config/schema.ts';

async function config(...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  const program = new Command('preamble').exitOverride();
  registerConfigCommands(program, { stdout, stderr: new PassThrough() });
  await program.parseAsync(['config', ...args], { from: 'user' });
  return String(stdout.read() ?? '');
}

t.test('what holds is shown as a file that would give the same', async (t) => {
  const root = t.testdir({ 'p.yaml': 'listen: { port: 1234 }\n' });
  const file = join(root, 'p.yaml');
  const shown = parse(await config('show', '--config', file));
  t.match(shown, { listen: { port: 1234, host: '127.0.0.1' }, limits: { drainSeconds: 25 } });
  t.strictSame(JSON.parse(await config('show', '--config', file, '--json')), shown);
  const again = t.testdir({ 'p.yaml': await config('show') });
  t.strictSame(await config('show', '--config', join(again, 'p.yaml')), await config('show'));
});

t.test('check says whether a file is valid', async (t) => {
  const root = t.testdir({ 'good.yaml': 'log: { level: warn }\n', 'bad.yaml': 'log: { level: loud }\n' });
  t.equal(await config('check', '--config', join(root, 'good.yaml')), `${join(root, 'good.yaml')} is valid.\n`);
  t.match(JSON.parse(await config('check', '--json')), { valid: true, file: null });
  await t.rejects(config('check', '--config', join(root, 'bad.yaml')), {
    code: 'config_invalid',
    message: /bad\.yaml:1: log\.level/,
  });
});

t.test('the schema tells an editor every setting', async (t) => {
  const schema = JSON.parse(await config('schema'));
  t.strictSame(Object.keys(schema.properties), Object.keys(configSchema.properties));
  t.match(schema.properties.models.patternProperties, { '^.*$': { properties: { backend: { anyOf: [{}, {}] } } } });
  t.match(schema.properties.limits.properties.drainSeconds, { type: 'integer', default: 25, description: /SIGTERM/ });
});
