import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { registerConfigCommands } from '../../src/commands/config.ts';
import { loadConfig } from '../../src/config.ts';
import { describe, PreambleError } from '../../src/errors.ts';

const secret = 'hunter2-must-not-be-seen';

const valid = `
models:
  llama:
    prompt: null
    onPromptUnavailable: none
    backend: { kind: vllm, urls: ["http://gpu-1:8000"], apiKey: { env: VLLM_KEY } }
redis: { url: "redis://127.0.0.1:6379", password: { file: ./redis-password }, onUnavailable: refuse }
admin: { password: { file: ./admin-password } }
tenants:
  - { id: web, keys: ["sha256:${'0'.repeat(64)}"] }
`;

async function show(t: Test, ...args: string[]): Promise<string> {
  process.env['VLLM_KEY'] = secret;
  t.teardown(() => delete process.env['VLLM_KEY']);
  const stdout = new PassThrough();
  const program = new Command('preamble').exitOverride();
  registerConfigCommands(program, { stdout, stderr: new PassThrough() });
  await program.parseAsync(['config', 'show', ...args], { from: 'user' });
  return String(stdout.read() ?? '');
}

t.test('show tells where secrets come from, and no secret', async (t) => {
  const directory = t.testdir({ 'preamble.yaml': valid, 'redis-password': `${secret}\n`, 'admin-password': secret });
  const text = await show(t, '--config', join(directory, 'preamble.yaml'));
  const json = await show(t, '--config', join(directory, 'preamble.yaml'), '--json');
  for (const shown of [parse(text), JSON.parse(json)]) {
    t.match(shown, {
      models: { llama: { backend: { apiKey: { env: 'VLLM_KEY' } } } },
      redis: { password: { file: join(directory, 'redis-password') } },
      admin: { password: { file: join(directory, 'admin-password') } },
    });
  }
  t.notMatch(text + json, secret);
});

t.test('a secret in the file itself is refused, and not repeated', async (t) => {
  const spoilt = [
    valid.replace('{ env: VLLM_KEY }', secret),
    valid.replace('{ env: VLLM_KEY }', `{ value: ${secret} }`),
    valid.replace('apiKey:', 'apikey:').replace('{ env: VLLM_KEY }', secret),
    valid.replace('http://gpu-1', `http://user:${secret}@gpu-1`),
    valid.replace('{ file: ./redis-password }', secret),
    valid.replace('{ file: ./admin-password }', secret),
    valid.replace('redis://', `redis://:${secret}@`),
    valid.replace(`sha256:${'0'.repeat(64)}`, secret),
    valid.replace(`["sha256:${'0'.repeat(64)}"]`, secret),
  ];
  for (const [index, text] of spoilt.entries()) {
    t.not(text, valid);
    const file = join(t.testdir({ 'preamble.yaml': text }), 'preamble.yaml');
    const error = await loadConfig({ file, environment: {} }).catch((thrown: unknown) => thrown);
    t.ok(error instanceof PreambleError, `case ${index}`);
    if (!(error instanceof PreambleError)) continue;
    t.match(describe(error), /preamble\.yaml:\d+: /);
    t.notMatch(describe(error) + String(error.cause), secret);
  }
});
