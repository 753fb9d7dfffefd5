import t from 'tap';
import { writeProxySettings } from '../helpers/build-proxy.ts';
import { type FakeOptions, startFakeVllm } from '../helpers/fake-vllm.ts';
import { runCli } from '../helpers/serve-process.ts';

interface Finding {
  name: string;
  outcome: string;
  finding: string;
  action: string | null;
}

const cases: [name: string, options: FakeOptions, code: number, finding: RegExp, action: RegExp | null][] = [
  ['all is well', {}, 0, /^A second prompt of 3 adds 4 tokens/, null],
  [
    'embeddings are off',
    { embeddings: false },
    1,
    /You must set .--enable-prompt-embeds/,
    /Start vLLM with --enable-prompt-embeds/,
  ],
  ['another model', { hiddenSize: 8 }, 1, /Expected embeddings of hidden size 8, got 4/, /made for this model/],
  [
    'a template that prints lists',
    { stringifies: true },
    1,
    /does not read content parts/,
    /--chat-template-content-format string/,
  ],
  ['several models', { models: [{ id: 'a' }, { id: 'b' }] }, 1, /serves several models: a, b/, /Name one of these/],
  ['an old version', { version: '0.20.1' }, 0, /^vLLM 0\.20\.1\.$/, /completions wire, or vLLM 0\.26\.0 or later/],
  ['one with holes', { version: '0.24.0' }, 0, /^vLLM 0\.24\.0\.$/, /Upgrade to 0\.26\.0/],
  ['no version', { version: null }, 0, /does not say its version/, null],
  ['a key that is missing', { apiKey: 'secret' }, 1, /Unauthorized/, /\w/],
];
for (const [name, options, code, finding, action] of cases) {
  t.test(name, async (t) => {
    const fake = await startFakeVllm(t, options);
    const cwd = await writeProxySettings(t, [fake]);
    const ended = await runCli(t, cwd, ['doctor', '--json']);
    t.equal(ended.code, code, ended.stderr);
    const findings: Finding[] = JSON.parse(ended.stdout);
    const found = findings.find((each) => finding.test(each.finding));
    t.ok(found, ended.stdout);
    if (action === null) t.equal(found?.action, null);
    else t.match(found?.action, action);
    t.equal(
      findings.some(({ outcome }) => outcome === 'failed'),
      code === 1,
    );
    t.ok(
      findings.every((each) => each.outcome === 'ok' || each.action !== null),
      'what is wrong comes with what to do',
    );
  });
}

t.test('of several servers the one that is away is named, in words for people', async (t) => {
  const [fake, away] = [await startFakeVllm(t), await startFakeVllm(t)];
  await away.stop();
  const cwd = await writeProxySettings(t, [fake, away]);
  const ended = await runCli(t, cwd, ['doctor']);
  t.equal(ended.code, 1);
  t.match(ended.stdout, new RegExp(`chat  ${fake.origin}\n  ✓ model: org/model, context of 4096 tokens\\.`));
  t.match(
    ended.stdout,
    new RegExp(`chat  ${away.origin}\n  ✗ reachable: The model server cannot be reached: .*ECONNREFUSED`),
  );
  t.match(ended.stderr, /^preamble: 1 of \d+ checks failed\. Each says what to do\.\n$/);
});
