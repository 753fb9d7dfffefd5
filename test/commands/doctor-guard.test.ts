import t from 'tap';
import { writeProxySettings } from '../helpers/build-proxy.ts';
import { type FakeGuard, startFakeGuard } from '../helpers/fake-guard.ts';
import { sendJson, startFakeVllm } from '../helpers/fake-vllm.ts';
import { runCli } from '../helpers/serve-process.ts';

const KEY = 'guard-key-of-the-test';
process.env['DOCTOR_GUARD_KEY'] = KEY;

const cases: [
  name: string,
  arrange: (guard: FakeGuard) => unknown,
  outcome: string,
  finding: RegExp,
  action: RegExp | null,
][] = [
  ['all is well', () => {}, 'ok', /^Passes a harmless text\.$/, null],
  ['it is away', (guard) => guard.server.stop(), 'failed', /cannot be reached/, /Start the guard, or check guard\.url/],
  [
    'a key that it does not take',
    (guard) => {
      guard.script = (response) => sendJson(response, 401, { error: { message: `No such key: ${KEY}` } });
    },
    'failed',
    /status 401/,
    /guard\.apiKey/,
  ],
  [
    'another kind of server',
    (guard) => {
      guard.script = (response) => sendJson(response, 200, { choices: [] });
    },
    'failed',
    /not the shape of OpenAI's moderations/,
    /Check guard\.url/,
  ],
  [
    'one that never answers',
    (guard) => {
      guard.script = () => {};
    },
    'failed',
    /did not answer in time/,
    /Raise guard\.timeoutSeconds/,
  ],
  [
    'one that flags everything',
    (guard) => {
      guard.flags = '';
    },
    'warning',
    /^Flags a harmless text: violence\.$/,
    /Check guard\.model/,
  ],
];
for (const [name, arrange, outcome, finding, action] of cases) {
  t.test(name, async (t) => {
    const [fake, guard] = [await startFakeVllm(t), await startFakeGuard(t)];
    await arrange(guard);
    const settings = {
      kind: 'http',
      url: guard.url,
      apiKey: { env: 'DOCTOR_GUARD_KEY' },
      timeoutSeconds: 1,
      onUnavailable: 'pass',
    };
    const cwd = await writeProxySettings(t, [fake], { prompt: null, more: { guard: settings } });
    const ended = await runCli(t, cwd, ['doctor', '--json']);
    t.equal(ended.code, outcome === 'failed' ? 1 : 0, ended.stderr);
    const found: unknown = JSON.parse(ended.stdout).at(-1);
    t.match(found, { model: null, where: guard.url, name: 'guard', outcome, finding, action });
    t.notMatch(ended.stdout + ended.stderr, KEY, 'the key is told to nobody');
    if (outcome === 'ok') t.match(guard.received, [{ headers: { authorization: `Bearer ${KEY}` } }]);
  });
}
