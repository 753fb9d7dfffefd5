import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { until } from '../helpers/build.ts';
import { buildProxy, question } from '../helpers/build-proxy.ts';
import { sendJson, startFakeVllm } from '../helpers/fake-vllm.ts';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

async function summarize(args: readonly string[], input: string | Uint8Array = '') {
  const child = spawn(process.execPath, [entry, 'logs', 'summarize', ...args]);
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = child.exitCode ?? (await new Promise<number>((resolve) => child.once('exit', resolve)));
  return { code, stdout, stderr };
}

const decided = {
  level: 30,
  time: Date.UTC(2026, 0, 1),
  event: 'refusal.decision',
  tenant: 'web',
  model: 'm',
  prompt: { name: 'a/b', version: '1.0.0', digest: 'x' },
  variant: 'stable',
  choice: 0,
  decision: 'complied',
  completionTokens: 3,
  firstTokenMs: 10,
  totalMs: 100,
  gatewayMs: 0.5,
};
const asked = {
  level: 30,
  time: Date.UTC(2026, 0, 2),
  event: 'request',
  status: 200,
  result: 'ok',
  tenant: 'web',
  model: 'm',
  prompt: 'a/b@1.0.0',
  variant: 'stable',
};
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

t.test('what a gateway has logged is summed up: rates, requests and latencies', async (t) => {
  const fake = await startFakeVllm(t);
  const proxy = await buildProxy(t, [fake]);
  const refusal = { message: { content: "I'm sorry, but I can't help with that." }, finish_reason: 'stop' };
  await proxy.post(question);
  await proxy.post({ ...question, model: 'none-such' });
  fake.script = (response) => sendJson(response, 200, { choices: [{ index: 0, ...refusal }] });
  await proxy.post(question);
  const requests = () => proxy.logs.filter(({ event }) => event === 'request').length;
  await until(() => requests() === 3);
  const { code, stdout } = await summarize(['--json', '--by', 'model,prompt,variant', '-'], lines(...proxy.logs));
  t.equal(code, 0);
  const result = JSON.parse(stdout);
  t.match(result, { lines: proxy.logs.length, brokenLines: 0 });
  t.match(
    result.groups.find(({ group }: { group: { model: string } }) => group.model === 'chat'),
    {
      group: { model: 'chat', prompt: 'test/kind@1.0.0', variant: 'stable' },
      decisions: { refused: 1, complied: 1 },
      refused: { rate: 0.5, n: 2 },
      requests: { ok: 2, rejected: 0 },
      totalMs: { n: 2, p50: Number },
    },
  );
  t.match(
    result.groups.find(({ group }: { group: { model: string } }) => group.model === 'none'),
    { requests: { rejected: 1 }, refused: { rate: null } },
  );
});

t.test('files, gzipped ones and standard input are read together; broken lines are counted', async (t) => {
  const folder = t.testdir({
    'a.log': `${lines(decided, { ...decided, decision: 'refused' }, asked)}not json\n{"level":30,"event":"refusal.decision"}\n`,
  });
  const zipped = join(folder, 'b.log.gz');
  await writeFile(zipped, gzipSync(lines({ ...decided, decision: 'unknown', totalMs: 1000 })));
  const behindPrefix = `2026-01-01T00:00:00Z stdout F ${lines({ ...asked, result: 'failed', status: 502 })}`;
  const ended = await summarize(['--by', 'model', join(folder, 'a.log'), zipped, '-'], behindPrefix);
  t.match(ended, { code: 0, stderr: '' });
  t.match(ended.stdout, /^7 lines, 2026-01-01T00:00:00\.000Z to 2026-01-02T00:00:00\.000Z; 2 could not be read\.$/m);
  t.match(ended.stdout, /^MODEL +ANSWERS +REFUSED +95% +PARTIAL.*\nm +3 +50\.00% +9\.45% to 90\.55% +0\.00%.* 1$/m);
  t.match(ended.stdout, /^MODEL +REQUESTS +OK +REJECTED +FAILED +CANCELLED\nm +2 +1 +0 +1 +0$/m);
  t.match(ended.stdout, /^m +total +[\d.]+ +[\d.]+ +[\d.]+$/m);
});

t.test('wrong use and what is not there end with a sentence', async (t) => {
  t.match(await summarize(['--by', 'colour', '-']), { code: 2, stderr: /There are model, prompt, variant, tenant/ });
  t.match(await summarize([join(t.testdir(), 'none.log')]), { code: 1, stderr: /can't be read/ });
});
