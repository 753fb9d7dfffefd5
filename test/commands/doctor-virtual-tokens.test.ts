import t from 'tap';
import { writeProxySettings } from '../helpers/build-proxy.ts';
import { startFakeLlamaCpp, startFakeSglang } from '../helpers/fake-openai.ts';
import { startFakeTgi } from '../helpers/fake-tgi.ts';
import { runCli } from '../helpers/serve-process.ts';

t.test('doctor looks at each replica, and says which does not serve the graft', async (t) => {
  const [well, ungrafted] = [await startFakeTgi(t), await startFakeTgi(t, { ungrafted: true })];
  const cwd = await writeProxySettings(t, [well, ungrafted], { graft: 'own', backend: { kind: 'tgi' } });
  const ended = await runCli(t, cwd, ['doctor']);
  t.equal(ended.code, 1, ended.stderr);
  t.match(
    ended.stdout,
    `chat  ${well.origin}\n  ✓ model: tgi, context of 4096 tokens.\n  ✓ version: TGI 3.3.6, /data/grafted.\n`,
  );
  t.match(ended.stdout, '  ✓ test/kind@1.0.0: virtual tokens: 3 virtual tokens count as 3.\n');
  t.match(
    ended.stdout,
    /✗ test\/kind@1\.0\.0: virtual tokens: 3 virtual tokens count as 30: the server does not serve this graft\. Serve the model that lies beside .*preamble-graft\.json/,
  );
});

t.test('a graft of another prompt is told without asking a server', async (t) => {
  const fake = await startFakeSglang(t);
  const cwd = await writeProxySettings(t, [fake], { graft: 'other', backend: { kind: 'sglang' } });
  const ended = await runCli(t, cwd, ['doctor', '--json']);
  t.equal(ended.code, 1);
  t.match(JSON.parse(ended.stdout), [
    { name: 'model', outcome: 'ok', finding: 'grafted, context of 8192 tokens.' },
    { name: 'version', outcome: 'ok', finding: 'SGLang 0.5.9.' },
    {
      name: 'test/kind@1.0.0',
      outcome: 'failed',
      finding: /is not in .*There: test\/other@1\.0\.0/,
      action: /preamble graft/,
    },
  ]);
  t.equal(fake.received.length, 0);
});

t.test('a prompt that was made from a text is held against the text', async (t) => {
  const fake = await startFakeLlamaCpp(t);
  const settings = { graft: 'own' as const, text: 'Be very kind', backend: { kind: 'llamacpp' } };
  const cwd = await writeProxySettings(t, [fake], settings);
  const ended = await runCli(t, cwd, ['doctor']);
  t.equal(ended.code, 0, ended.stdout);
  t.match(ended.stdout, /✓ version: llama\.cpp b8681-made-up\./);
  t.match(ended.stdout, /✓ test\/kind@1\.0\.0: same as text: Equal: "Good" at -0\.5000/);
});
