import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { json, text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { type CliProcess, listening, serving, startCli } from './helpers/serve-process.ts';
import { tinyChatModel } from './helpers/tiny-model.ts';
import { fakeHub, repository } from './model/obtain/support/fake-hub.ts';

const chat = (fields: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'tiny', messages: [{ role: 'user', content: 'Hi' }], ignore_eos: true, ...fields }),
});

async function start(t: Test, limits = '{}'): Promise<{ cli: CliProcess; origin: string }> {
  const cwd = t.testdir({
    model: await tinyChatModel(),
    'preamble.yaml': `models:
  tiny:
    prompt: null
    onPromptUnavailable: refuse
    backend: { kind: embedded, model: ./model, weights: float32 }
limits: ${limits}
`,
  });
  const cli = startCli(t, cwd, ['serve', '--port', '0']);
  return { cli, origin: await serving(cli) };
}

/** A stream of which the first bytes have come. */
async function stream(origin: string, fields: object): Promise<() => Promise<string>> {
  const response = await fetch(`${origin}/v1/chat/completions`, chat({ ...fields, stream: true }));
  const body = response.body;
  if (body === null) throw new Error('no body');
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let read = (await reader.read()).value ?? '';
  return async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) read += next.value;
    return read;
  };
}

/** An answer that is not streamed, of which the request has arrived. */
async function whole(origin: string, fields: object): Promise<() => Promise<{ status: unknown; body: unknown }>> {
  const { body, ...options } = chat(fields);
  const sent = request(`${origin}/v1/chat/completions`, options);
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.on('response', resolve).on('error', reject));
  sent.end(body);
  await once(sent, 'finish');
  // Connections are taken in the order in which they were made.
  await (await fetch(`${origin}/healthz`)).text();
  return async () => {
    const response = await answered;
    return { status: response.statusCode, body: await json(response) };
  };
}

const shutdown = /"event":"shutdown","signal":"(SIG\w+)"/;

t.test('SIGTERM lets running answers end, turns new ones away in the meantime, and exits with 0', async (t) => {
  // Long enough that the answer is still being written when the signal has arrived, on any machine.
  const { cli, origin } = await start(t, '{ drainSeconds: 240 }');
  const { hostname, port } = new URL(origin);
  const rest = await stream(origin, { max_tokens: 6000 });
  const answer = await whole(origin, { max_tokens: 6000 });
  const early = connect(Number(port), hostname);
  await new Promise((resolve) => early.once('connect', resolve));
  let ended = false;
  const streamed = rest().finally(() => {
    ended = true;
  });

  cli.child.kill('SIGTERM');
  t.equal((await cli.until(shutdown))[1], 'SIGTERM');
  await t.rejects(fetch(`${origin}/readyz`), 'it no longer listens');
  const { body } = chat({});
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  early.write(`${head}\r\n\r\n${body}`);
  const refused = await text(early);
  t.equal(ended, false, 'the stream still runs');
  t.match(refused, /^HTTP\/1\.1 503 /);
  t.match(refused, /\r\nconnection: close\r\n/i);
  t.match(refused, /\r\nx-request-id: req_\w+\r\n/);
  t.match(refused, /\r\nx-should-retry: true\r\n/);
  t.match(JSON.parse(refused.slice(refused.indexOf('\r\n\r\n'))), {
    error: { message: /shutting down/, type: 'server_error', code: 'shutting_down', param: null },
  });

  const lines = (await streamed).trim().split('\n\n');
  t.equal(lines.at(-1), 'data: [DONE]');
  t.match(JSON.parse(lines.at(-2)?.slice(6) ?? ''), { choices: [{ finish_reason: 'length' }] });
  t.match(await answer(), { status: 200, body: { usage: { completion_tokens: 6000 } } });
  t.equal(await cli.ended, 0);
});

t.test('an answer that is longer than drainSeconds is ended in the client’s sight', async (t) => {
  const { cli, origin } = await start(t, '{ drainSeconds: 1 }');
  const rest = await stream(origin, {});
  const answer = await whole(origin, {});
  cli.child.kill('SIGTERM');
  const lines = (await rest()).trim().split('\n\n');
  t.match(JSON.parse(lines.at(-1)?.slice(6) ?? ''), { error: { code: 'shutting_down', type: 'server_error' } });
  t.match(await answer(), { status: 503, body: { error: { code: 'shutting_down' } } });
  t.equal(await cli.ended, 0);
  t.strictSame(
    cli.logs().flatMap(({ event, decision }) => (event === 'refusal.decision' ? [decision] : [])),
    ['unknown', 'unknown'],
    'what broke off was neither a refusal nor none',
  );
});

t.test('a second SIGINT ends it at once', async (t) => {
  const { cli, origin } = await start(t, '{ drainSeconds: 240 }');
  const rest = await stream(origin, {});
  cli.child.kill('SIGINT');
  t.equal((await cli.until(shutdown))[1], 'SIGINT');
  cli.child.kill('SIGINT');
  await t.rejects(rest(), 'the answer is cut off');
  t.equal(await cli.ended, 'SIGINT');
  t.notMatch(cli.stderr(), /terminate|abort/i);
});

t.test('while the model is fetched it says so, and it is ready once that is done', async (t) => {
  const files = Object.entries(await tinyChatModel()).map(([name, bytes]) => ({ name, bytes: Buffer.from(bytes) }));
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hub = await fakeHub(t, files, { held });
  const cwd = t.testdir({
    cache: {},
    'preamble.yaml': `models:
  tiny:
    prompt: null
    onPromptUnavailable: refuse
    backend: { kind: embedded, model: ${repository}, weights: float32 }
`,
  });
  const environment = { PREAMBLE_CACHE: `${cwd}/cache`, HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' };
  const arguments_ = ['serve', '--port', '0'];

  const impatient = startCli(t, cwd, arguments_, environment);
  await listening(impatient);
  impatient.child.kill('SIGTERM');
  t.equal(await impatient.ended, 0, 'told to end while it loads, it does');
  t.notMatch(impatient.stderr(), /^preamble:/m);

  const cli = startCli(t, cwd, arguments_, environment);
  const origin = await listening(cli);
  const loading = await fetch(`${origin}/readyz`);
  t.equal(loading.status, 503);
  t.equal(loading.headers.get('retry-after'), '1');
  t.match(await loading.json(), { status: 'not ready', reason: 'tiny is loading.' });
  t.equal((await fetch(`${origin}/healthz`)).status, 200, 'it is alive nevertheless');
  t.match(await (await fetch(`${origin}/v1/models`)).json(), { data: [{ id: 'tiny' }] });
  const early = await fetch(`${origin}/v1/chat/completions`, chat({}));
  t.equal(early.status, 503);
  t.match(early.headers.get('retry-after'), /^\d+$/);
  t.match(await early.json(), { error: { code: 'not_ready', message: /still loading.*Try again/ } });

  release();
  t.equal(await serving(cli), origin);
  const ready = await fetch(`${origin}/readyz`);
  t.equal(ready.status, 200);
  t.match(await ready.json(), { status: 'ready' });
  t.equal((await fetch(`${origin}/v1/chat/completions`, chat({ max_tokens: 3 }))).status, 200);
});
