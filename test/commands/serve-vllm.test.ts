import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { nextText, open, post, question, writeProxySettings } from '../helpers/build-proxy.ts';
import { beginEvents, chunkEvent, doneEvent, lastChunk, sendJson, startFakeVllm } from '../helpers/fake-vllm.ts';
import { runCli, serving, startCli } from '../helpers/serve-process.ts';

const stream = { ...question, stream: true };

t.test('SIGTERM under load: what was begun is answered to its end, and nothing is lost', async (t) => {
  const fake = await startFakeVllm(t);
  const cwd = await writeProxySettings(t, [fake]);
  const cli = startCli(t, cwd, ['serve']);
  const origin = await serving(cli);
  const go = Promise.withResolvers<void>();
  fake.script = async (response, { body }) => {
    if (JSON.parse(body.toString()).stream !== true) {
      await sleep(20);
      return sendJson(response, 200, { choices: [{ index: 0, message: { content: 'Good' }, finish_reason: 'stop' }] });
    }
    beginEvents(response).write(chunkEvent('Good'));
    await go.promise;
    response.end(chunkEvent(' day.') + lastChunk + doneEvent);
  };
  const streams = await Promise.all(Array.from({ length: 10 }, () => open(origin, stream)));
  const heads = await Promise.all(streams.map(({ answer }) => answer));
  for (const head of heads) t.equal(await nextText(head), chunkEvent('Good'));

  // Twenty clients that ask again and again, until they are turned away.
  const ends: string[] = [];
  const clients = Array.from({ length: 20 }, async () => {
    while (true) {
      try {
        const { status, text } = await post(origin, question);
        if (status === 200) continue;
        ends.push(status === 503 ? (JSON.parse(text).error.code ?? '') : text);
      } catch (error) {
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
        ends.push(String(cause instanceof Error && 'code' in cause ? cause.code : cause));
      }
      return;
    }
  });
  await sleep(300);
  cli.child.kill('SIGTERM');
  await Promise.all(clients);
  t.strictSame(
    ends.filter((end) => end !== 'shutting_down' && end !== 'ECONNREFUSED'),
    [],
    'turned away in words, or not let in at all',
  );
  go.resolve();
  for (const head of heads) {
    let text = '';
    for await (const chunk of head) text += chunk;
    t.equal(text, chunkEvent(' day.') + lastChunk + doneEvent);
  }
  t.equal(await cli.ended, 0);
  const decisions = cli.logs().filter(({ event }) => event === 'refusal.decision');
  t.ok(decisions.every(({ decision }) => decision === 'complied'));
  t.equal(decisions.length, fake.received.length - 4, 'one for each that a server was asked, but for the checks');
});

t.test('no secret stands in a log, an answer, /status or the settings as they are shown', async (t) => {
  const secret = 'sk-server-0123456789';
  const fake = await startFakeVllm(t, { apiKey: secret });
  const cwd = await writeProxySettings(t, [fake], {
    backend: { apiKey: { env: 'SERVER_KEY' } },
    more: { log: { level: 'trace' } },
  });
  const environment = { SERVER_KEY: secret };
  const cli = startCli(t, cwd, ['serve'], environment);
  const origin = await serving(cli);
  // Lines of the log come up to a tenth of a second late.
  const [, admin = ''] = await cli.until(new RegExp(`Server listening at (?!${origin}")(http://[0-9.:]+)`));
  const shown: string[] = [];
  const headers = { authorization: 'Bearer sk-client-987', cookie: 'sk-cookie' };
  for (const script of [
    null,
    (response: Parameters<typeof sendJson>[0]) => sendJson(response, 401, { error: 'Unauthorized' }),
    (response: Parameters<typeof sendJson>[0]) => sendJson(response, 500, {}),
    (response: Parameters<typeof sendJson>[0]) => response.socket?.resetAndDestroy(),
  ]) {
    fake.script = script;
    const answer = await post(origin, question, { headers });
    shown.push(answer.text, JSON.stringify([...answer.headers]));
  }
  for (const path of ['/status', '/readyz', '/nothing?key=sk-query']) {
    shown.push(await (await fetch(`${admin}${path}`)).text());
  }
  shown.push((await runCli(t, cwd, ['config', 'show'], environment)).stdout);
  shown.push((await runCli(t, cwd, ['doctor', '--json'], environment)).stdout);
  cli.child.kill('SIGTERM');
  t.equal(await cli.ended, 0);
  shown.push(cli.stdout(), cli.stderr());
  t.notMatch(shown.join('\n'), /sk-server|sk-client|sk-cookie|sk-query/);
  t.match(shown.join('\n'), /SERVER_KEY/, 'where it is read from is shown');
});
