import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { loadConfig, promptDirectories } from '../src/config.ts';
import { describe, PreambleError } from '../src/errors.ts';

const model = (more = '') => `
models:
  mine:
    prompt: null
    onPromptUnavailable: refuse
    backend: { kind: embedded, model: ./m${more} }
`;

t.test('without a file, what is built in', async (t) => {
  const { config, file } = await loadConfig({ environment: {} });
  t.equal(file, null);
  t.match(config, {
    listen: { host: '127.0.0.1', port: 8080 },
    models: {
      'smollm2-135m-instruct': {
        prompt: 'smollm2-135m/dro',
        onPromptUnavailable: 'refuse',
        backend: { kind: 'embedded', weights: '8-bit', slots: 8, queue: 64 },
      },
    },
    limits: { bodyBytes: 4 * 2 ** 20, drainSeconds: 25 },
    log: { level: 'info', content: false },
  });
});

t.test('defaults are filled in within models too, and paths are beside the file that names them', async (t) => {
  const root = t.testdir({ etc: { 'p.yaml': `${model()}promptDirectories: [prompts, /srv/prompts]\n` } });
  const { config } = await loadConfig({ file: join(root, 'etc/p.yaml'), environment: {} });
  t.match(config.models['mine']?.backend, {
    model: join(root, 'etc/m'),
    weights: '8-bit',
    contextLength: null,
    sampling: { temperature: 1, topP: 1 },
  });
  const shipped = fileURLToPath(new URL('../prompts', import.meta.url));
  t.strictSame(promptDirectories(config), [join(root, 'etc/prompts'), '/srv/prompts', shipped]);
});

t.test('each fault is one line that says where and what', async (t) => {
  const faults: [yaml: string, message: RegExp][] = [
    ['port: 1\n', /p\.yaml:1: port is not a setting\. Known here: listen, models, /],
    [`listen:\n  port: "x"\n`, /p\.yaml:2: listen\.port must be integer/],
    [`${model()}limits:\n  bodyBytes: 3\n`, /p\.yaml:8: limits\.bodyBytes must be >= 1024/],
    [model(', slots: 0'), /p\.yaml:6: models\.mine\.backend\.slots must be >= 1\. Answers that are written together/],
    [model(', treads: 2'), /p\.yaml:6: models\.mine\.backend\.treads is not a setting\. Did you mean threads\?/],
    [model(', contextLength: big'), /contextLength must be integer or null/],
    [model().replace('embedded', 'ollama'), /backend\.kind must be one of embedded, vllm, tgi, llamacpp, sglang/],
    [
      model().replace('    onPromptUnavailable: refuse\n', ''),
      /p\.yaml:4: models\.mine\.onPromptUnavailable is missing/,
    ],
    ['models: {}\n', /models must not have fewer than 1|p\.yaml:1: models/],
    ['- a\n', /must hold settings by name/],
    ['a: [\n', /p\.yaml:2: /],
    ['a: 1\na: 2\n', /p\.yaml:2: Map keys must be unique/],
    ['a: !!js/function x\n', /p\.yaml:1: /],
    [`a: &a [x, x, x, x, x, x, x, x, x, x]\n${bomb()}`, /repeats its aliases too often/],
    [`# ${'x'.repeat(2 ** 20)}\n`, /larger than 1048576 bytes/],
  ];
  for (const [yaml, message] of faults) {
    const file = join(t.testdir({ 'p.yaml': yaml }), 'p.yaml');
    const error: unknown = await loadConfig({ file, environment: {} }).catch((thrown) => thrown);
    if (!(error instanceof PreambleError)) return void t.fail(`${yaml.slice(0, 60)} ${error}`);
    t.equal(error.code, 'config_invalid');
    t.match(describe(error), message);
    t.notMatch(describe(error), /\n/);
  }
});

/** Each list holds the one before it ten times. */
function bomb(): string {
  const names = 'abcdefghij';
  return [...names.slice(1)]
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${names[index]}`).join(', ')}]\n`)
    .join('');
}

t.test('a file that cannot be read', async (t) => {
  const root = t.testdir();
  await t.rejects(loadConfig({ file: root, environment: {} }), { code: 'file_unreadable' });
  await symlink('loop', join(root, 'loop'));
  await t.rejects(loadConfig({ file: join(root, 'loop'), environment: {} }), { code: 'file_unreadable' });
  await mkdir(join(root, 'x'));
  await t.rejects(loadConfig({ environment: { PREAMBLE_CONFIG: join(root, 'x/absent') } }), {
    code: 'file_unreadable',
  });
});

t.test('an address that others reach is refused until there are keys', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.168.0.1', 'example.org', '127.0.0.1.example.org', '1270.0.0.1', '']) {
    await t.rejects(loadConfig({ environment: {}, listen: { host } }), { code: 'config_invalid' }, host);
  }
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) {
    t.equal((await loadConfig({ environment: {}, listen: { host } })).config.listen.host, host);
  }
});

t.test('whatever the file and the environment hold, there is a configuration or a one-line error', async (t) => {
  const file = join(t.testdir({ 'p.yaml': '' }), 'p.yaml');
  const whole = `listen: { host: 127.0.0.1, port: 0 }\n${model()}limits: { drainSeconds: 3 }\nlog: { level: warn }\n`;
  const damaged = fc
    .tuple(
      fc.nat(whole.length),
      fc.nat(12),
      fc.oneof(fc.string(), fc.constantFrom('&a ', '*a', '? ', '- ', '\t', '<<: ', '__proto__: ')),
    )
    .map(([at, cut, put]) => whole.slice(0, at) + put + whole.slice(at + cut));
  const text = fc.oneof(damaged, fc.json(), fc.string());
  const variable = fc.oneof(
    fc.constantFrom(
      'LISTEN_PORT',
      'LISTEN_HOST',
      'LIMITS_BODY_BYTES',
      'LOG_CONTENT',
      'MODELS_MINE_PROMPT',
      'MODELS_MINE_BACKEND_SLOTS',
    ),
    fc.string().map((name) => `LIMITS_${name}`),
  );
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('', 'null', '-1', '1e3', '0x10', 'NaN', '99999999999999999999', 'true'),
  );
  const environment = fc.dictionary(
    variable.map((name) => `PREAMBLE_${name}`),
    value,
    { maxKeys: 3 },
  );
  await fc.assert(
    fc.asyncProperty(text, environment, async (text, environment) => {
      await writeFile(file, text);
      try {
        const { config } = await loadConfig({ file, environment });
        return Number.isInteger(config.listen.port) && Object.keys(config.models).length > 0;
      } catch (error) {
        if (!(error instanceof PreambleError)) throw error;
        return ['config_invalid', 'file_unreadable'].includes(error.code) && !describe(error).includes('\n');
      }
    }),
    { numRuns: 500 },
  );
  t.pass();
});
