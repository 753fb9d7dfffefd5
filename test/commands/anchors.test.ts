import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readAnchorData } from '../../src/dro/anchors/anchor-data.ts';
import {
  beginEvents,
  chunkEvent,
  doneEvent,
  type FakeVllm,
  lastChunk,
  sendJson,
  startFakeVllm,
} from '../helpers/fake-vllm.ts';
import { startCli } from '../helpers/serve-process.ts';
import { tinyChatModel } from '../helpers/tiny-model.ts';

const queries = 'text,label\nhow are you,harmless\nwho is there,harmful\n';

async function prepare(t: Test, files: Record<string, string | Record<string, string | Buffer>> = {}): Promise<string> {
  return t.testdir({ model: await tinyChatModel(), 'q.csv': queries, ...files });
}

async function anchors(t: Test, cwd: string, ...args: string[]) {
  const all = [
    'anchors',
    '--model',
    './model',
    '--queries',
    'q.csv',
    '--samples',
    '2',
    '--text',
    'be careful',
    ...args,
  ];
  const cli = startCli(t, cwd, all, { PREAMBLE_CACHE: join(cwd, 'cache') });
  return { cli, end: async () => ({ code: await cli.ended, stdout: cli.stdout(), stderr: cli.stderr() }) };
}

const byServer = (server: FakeVllm) => ['--server', `${server.origin}/v1`, '--server-model', 'org/model'];

const refuse: FakeVllm['script'] = (response) =>
  beginEvents(response).end(chunkEvent("I can't help with that.") + lastChunk + doneEvent);

t.test('what a failing server has answered is kept, and the same command goes on from there', async (t) => {
  const cwd = await prepare(t);
  const server = await startFakeVllm(t);
  // The second prompt's requests have a system message.
  server.script = (response, received) =>
    received.body.includes('"system"')
      ? sendJson(response, 400, { error: { message: 'No more.' } })
      : refuse(response, received);
  const args = [...byServer(server), '--out', 'out'];
  const failed = await (await anchors(t, cwd, ...args)).end();
  t.match(failed, { code: 1, stdout: '' });
  t.match(
    failed.stderr,
    /No more \(http.*\)\..* The answers to 2 of 4 queries are kept: the same command goes on from there\.\n$/,
  );

  server.script = null;
  const asked = server.received.length;
  const done = await (await anchors(t, cwd, ...args)).end();
  t.equal(server.received.length - asked, 4, 'only the second prompt is asked');
  t.equal(done.code, 0, done.stderr);
  t.match(
    done.stdout,
    /^PROMPT .*\nnone +100\.0% of 2 +100\.0% of 2 .*\ntext-[0-9a-f]{8} +0\.0% of 2 +0\.0% of 2 .*\n\nWrote out\n$/,
  );
  const data = await readAnchorData(join(cwd, 'out'));
  t.strictSame([...(data.sets[0]?.refusalFractions ?? [])], [1, 1]);
  t.equal(data.sets[1]?.states.length, 2 * data.hiddenSize);

  const json = await (await anchors(t, cwd, ...byServer(server), '--json')).end();
  t.match(JSON.parse(json.stdout), {
    answersFrom: 'server org/model',
    sets: [{ prompt: 'none', harmful: { answers: 2, refused: 2, refusalFraction: 1 } }, { harmless: { refused: 0 } }],
  });
  t.equal(server.received.length - asked, 4, 'nothing is asked twice');
});

t.test('Ctrl-C ends it with what is kept', async (t) => {
  const cwd = await prepare(t);
  const server = await startFakeVllm(t);
  server.script = (response) => beginEvents(response).write(chunkEvent('Well'));
  const { cli, end } = await anchors(t, cwd, ...byServer(server));
  await server.next();
  cli.child.kill('SIGINT');
  const ended = await end();
  t.equal(ended.code, 1);
  t.match(ended.stderr, /Stopped\. The answers to 0 of 4 queries are kept: the same command goes on from there\.\n$/);
});

t.test('bad input is one line', async (t) => {
  const { 'chat_template.jinja': _, ...mute } = await tinyChatModel();
  const cwd = await prepare(t, { 'empty.csv': 'text,label\n', mute });
  const run = async (...args: string[]) => {
    const { code, stderr } = await (await anchors(t, cwd, ...args)).end();
    return `${code} ${stderr}`;
  };
  t.match(
    await run('--queries', 'empty.csv'),
    /^1 preamble: Cannot read queries from empty\.csv: it holds no query\..*\n$/,
  );
  t.match(await run('--prompt', 'nobody'), /^1 preamble: There is no prompt "nobody"\..*\n$/);
  t.match(await run('--model', './mute'), /^1 preamble: \S*mute has no chat template.*\n$/);
  t.match(await run('--samples', '0'), /^2 .*whole number from 1 to 1000/s);
});
