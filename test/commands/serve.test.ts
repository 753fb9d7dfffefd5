import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCli, serving, startCli } from '../helpers/serve-process.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';

const settings = (more = '', prompt = 'null') => `listen: { port: 0 }
models:
  tiny:
    prompt: ${prompt}
    onPromptUnavailable: refuse
    backend: { kind: embedded, model: ./model, weights: float32 }
${more}`;

async function folder(t: Test, yaml = settings()): Promise<string> {
  return t.testdir({ model: await tinyChatModel(), 'preamble.yaml': yaml });
}

t.test('what is wrong at the start is one line on standard error, and the process ends with its code', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const cwd = await folder(t);
  const cases: [name: string, args: string[], environment: Record<string, string>, message: RegExp][] = [
    ['a port in use', ['--port', `${port}`], {}, RegExp(`^127\\.0\\.0\\.1:${port} is in use .*--port`)],
    ['an address that is not ours', ['--host', '127.0.0.256'], {}, /not an address of this machine.*--host/],
    ['an open address', ['--host', '0.0.0.0'], {}, /0\.0\.0\.0 would open the gateway/],
    ['a settings file that is not there', ['--config', 'absent.yaml'], {}, /^absent\.yaml does not exist/],
    ['another one, by the environment', [], { PREAMBLE_CONFIG: 'gone.yaml' }, /^gone\.yaml does not exist/],
    ['an unknown setting by the environment', [], { PREAMBLE_LISTEN_PROT: '1' }, /Did you mean PREAMBLE_LISTEN_PORT\?/],
    ['a wrong value by the environment', [], { PREAMBLE_LISTEN_PORT: 'x' }, /^PREAMBLE_LISTEN_PORT must be a number/],
    [
      'a number out of bounds by the environment',
      [],
      { PREAMBLE_LISTEN_PORT: '65536' },
      /^PREAMBLE_LISTEN_PORT must be/,
    ],
    [
      'a wrong prompt name',
      [],
      { PREAMBLE_MODELS_TINY_PROMPT: 'smollm2-135m/carful' },
      /^There is no prompt "smollm2-135m\/carful"\. There are: smollm2-135m\/brief/,
    ],
    [
      'a version that is not there',
      [],
      { PREAMBLE_MODELS_TINY_PROMPT: 'smollm2-135m/careful@9.9.9' },
      /There are: .*@1\.0\.0/,
    ],
    [
      'a prompt made for another model',
      [],
      { PREAMBLE_MODELS_TINY_PROMPT: 'smollm2-135m/careful' },
      /smollm2-135m\/careful@1\.0\.0 was made for .* and does not fit/,
    ],
    [
      'a cache directory that cannot be written',
      [],
      { PREAMBLE_CACHE: '/dev/null/cache', PREAMBLE_MODELS_TINY_BACKEND_MODEL: 'smollm2-135m-instruct' },
      /^The model cache \/dev\/null\/cache cannot be written \(\w+\)\. .*set PREAMBLE_CACHE/,
    ],
    ['a model that is not there', [], { PREAMBLE_MODELS_TINY_BACKEND_MODEL: './absent' }, /absent does not exist/],
  ];
  for (const [name, args, environment, message] of cases) {
    await t.test(name, async (t) => {
      const ended = await runCli(t, cwd, ['serve', ...args], environment);
      t.equal(ended.code, 1);
      const lines = ended.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
      t.equal(lines.length, 1, ended.stderr);
      t.match(lines[0]?.replace(/^preamble: /, ''), message);
      t.notMatch(ended.stderr, /\bat .*:\d+:\d+/, 'no stack trace');
    });
  }
});

t.test('wrong use ends with 2', async (t) => {
  const cwd = t.testdir();
  for (const [args, message] of [
    [['--port', '65536'], /A port is a number from 0 to 65535/],
    [['--port', '-1'], /A port is a number/],
    [['--port', '80a'], /A port is a number/],
    [['--prot', '1'], /unknown option '--prot'.*\n?.*--port/],
    [['now'], /too many arguments/],
  ] as const) {
    const ended = await runCli(t, cwd, ['serve', ...args]);
    t.match(ended, { code: 2, stdout: '', stderr: message }, args.join(' '));
  }
  t.match(await runCli(t, cwd, ['srve']), { code: 2 });
});

t.test('a fault in preamble.yaml is told with its line', async (t) => {
  for (const [yaml, message] of [
    [
      settings('limits:\n  drainSecond: 3\n'),
      /^preamble: preamble\.yaml:8: limits\.drainSecond .*Did you mean drainSeconds\?\n$/,
    ],
    [settings('log: { level: loud }\n'), /^preamble: preamble\.yaml:7: log\.level must be one of trace, .*\n$/],
    [
      settings().replace('refuse', 'maybe'),
      /^preamble: preamble\.yaml:5: models\.tiny\.onPromptUnavailable must be one of/,
    ],
    [settings('models: {}\n'), /^preamble: preamble\.yaml:7: .*unique.*\n$/],
    [settings('? { a: b }\n: 1\n'), /^preamble: preamble\.yaml.*is not a setting\. Known here: [^\n]*\n$/],
    [settings('limits: [\n'), /^preamble: preamble\.yaml:\d+: .*\n$/],
  ] as const) {
    t.match(await runCli(t, await folder(t, yaml), ['serve']), { code: 1, stdout: '', stderr: message }, yaml);
  }
});

t.test('--check says whether it would start, and does not', async (t) => {
  const cwd = await folder(t);
  t.match(await runCli(t, cwd, ['serve', '--check']), {
    code: 0,
    stdout: 'preamble.yaml is valid, and its prompts are there.\n',
    stderr: '',
  });
  const wrong = await runCli(t, cwd, ['serve', '--check'], { PREAMBLE_MODELS_TINY_PROMPT: 'tiny/absent' });
  t.match(wrong, { code: 1, stdout: '', stderr: /^preamble: There is no prompt/ });
  const none = await runCli(t, join(cwd, 'model'), ['serve', '--check']);
  t.match(none, { code: 0, stdout: 'The built-in configuration is valid, and its prompts are there.\n' });
});

t.test('the command line is stronger than the environment, and that than the file', async (t) => {
  const cwd = await folder(t, settings().replace('port: 0', 'port: 1'));
  const environment = { PREAMBLE_LISTEN_PORT: '2', PREAMBLE_LIMITS_DRAIN_SECONDS: '1', PREAMBLE_LOG_LEVEL: 'warn' };
  const cli = startCli(t, cwd, ['serve', '--port', '0'], environment);
  const origin = await serving(cli);
  t.not(new URL(origin).port, '2');
  t.equal((await fetch(`${origin}/readyz`)).status, 200);
  t.equal(cli.stderr(), '', 'nothing below the level that the environment names');
  const shown = await runCli(t, cwd, ['config', 'show', '--json'], environment);
  t.match(JSON.parse(shown.stdout), { listen: { port: 2 }, limits: { drainSeconds: 1 }, log: { level: 'warn' } });
});
