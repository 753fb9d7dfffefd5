import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { loadConfig } from '../../src/config.ts';
import type { ModelPolicy, PolicySnapshot, PromptState } from '../../src/policy/snapshot.ts';
import { banner, baseUrl } from '../../src/startup/banner.ts';

const policyOf = (states: [string, PromptState][]): PolicySnapshot => ({
  models: new Map(
    states.map(([name, prompt]): [string, ModelPolicy] => [
      name,
      { backend: 'embedded', prompt, onPromptUnavailable: 'none' },
    ]),
  ),
  aliases: new Map(),
  tenants: new Map(),
});

t.test('an address as a URL', async (t) => {
  t.equal(baseUrl({ host: '127.0.0.1', port: 80 }), 'http://127.0.0.1:80/v1');
  t.equal(baseUrl({ host: '::1', port: 8080 }), 'http://[::1]:8080/v1');
});

t.test('each model with its prompt, and what is wrong with one', async (t) => {
  const { config } = await loadConfig({ environment: {} });
  const [settings] = Object.values(config.models);
  if (settings === undefined) throw new Error('no model');
  const models = { a: settings, b: settings, c: settings };
  const stored = { dtype: 'F32', bytes: new Uint8Array(56) } as const;
  const softPrompt = { label: '', digest: '', tokens: 7, hiddenSize: 2, values: new Float32Array(14), stored };
  const states = policyOf([
    ['a', { kind: 'available', prompt: { name: 'x/y', version: '1.2.0', position: 'system', softPrompt } }],
    ['b', { kind: 'unavailable', reference: 'x/z', reason: 'gone', text: null }],
  ]);
  t.match(
    banner('http://h/v1', { ...config, models }, states),
    [
      'Preamble serves http://h/v1',
      '  model   a (smollm2-135m-instruct), weights 8-bit',
      '  prompt  x/y@1.2.0, 7 virtual tokens',
      '  model   b (smollm2-135m-instruct), weights 8-bit',
      '  prompt  x/z (unavailable: gone)',
      '  model   c (smollm2-135m-instruct), weights 8-bit',
      '  prompt  none',
      '',
      'Try it:',
    ].join('\n'),
  );
});

t.test('the curl line works in a shell whatever the model is called', async (t) => {
  const seen: unknown[] = [];
  const server = createServer(async (request, response) => {
    seen.push(JSON.parse(await text(request)).model, request.headers['content-type']);
    response.end('ok');
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { config } = await loadConfig({ environment: {} });
  const [settings] = Object.values(config.models);
  if (settings === undefined) throw new Error('no model');
  const name = `it's "$HOME" \`id\` \\ é`;
  const url = baseUrl({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const line = /^ {2}curl .*$/m.exec(banner(url, { ...config, models: { [name]: settings } }, policyOf([])));
  const printed = await new Promise((resolve) => {
    execFile('bash', ['-c', line?.[0] ?? ''], (_error, stdout) => resolve(stdout));
  });
  t.equal(printed, 'ok');
  t.strictSame(seen, [name, 'application/json']);
});
