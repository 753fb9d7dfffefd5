import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { buildTiny } from './helpers/build.ts';

/** Sends bytes as they are and gives what comes back until the connection ends. */
async function raw(origin: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  return await text(socket);
}

function bodyOf(answer: string): unknown {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
}

t.test('what is no HTTP is answered in OpenAI’s shape with an id, and the server goes on', async (t) => {
  const { origin, logs } = await buildTiny(t);
  const cases: [name: string, bytes: string][] = [
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a header without a name', 'GET /healthz HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n'],
    ['headers of 20 kB', `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
    [
      'two lengths',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    ],
    [
      'a length and chunks',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a chunk without a length',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ],
  ];
  for (const [name, bytes] of cases) {
    const answer = await raw(origin, bytes);
    t.match(answer, /^HTTP\/1\.1 (400|431) /, name);
    t.match(answer, /\r\nx-request-id: req_[0-9a-f]{32}\r\n/, name);
    t.match(answer, /\r\nconnection: close\r\n/, name);
    t.match(bodyOf(answer), { error: { type: 'invalid_request_error', message: /\S/, param: null } }, name);
    t.notMatch(answer, /HPE_|\.js\b|\bat /, `${name}: nothing of the parser's own`);
  }
  t.equal((await fetch(`${origin}/healthz`)).status, 200);
  t.notOk(logs.some(({ level }) => Number(level) >= 50));
});

t.test('a body that is too large is refused by its length, or where it gets too long', async (t) => {
  const { origin } = await buildTiny(t);
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const bytes = 20 * 2 ** 20;
  const chunk = `${(2 ** 20).toString(16)}\r\n${'x'.repeat(2 ** 20)}\r\n`;
  for (const request of [
    `${head}content-length: ${bytes}\r\n\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(5)}`,
  ]) {
    const answer = await raw(origin, request);
    t.match(answer, /^HTTP\/1\.1 413 /);
    t.match(answer, /\r\nx-request-id: req_[0-9a-f]{32}\r\n/);
    t.match(bodyOf(answer), {
      error: { code: 'body_too_large', type: 'invalid_request_error', message: /too large\. Send a smaller one/ },
    });
  }
  t.equal((await fetch(`${origin}/healthz`)).status, 200);
});

t.test('paths that cannot be decoded are answered like any other', async (t) => {
  const { origin, logs } = await buildTiny(t);
  for (const path of ['/%', '/v1/models/%ff%', '/v1/%zz?key=hunter2', `/v1/models/${'x'.repeat(600)}`]) {
    const answer = await raw(origin, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    t.match(answer, /^HTTP\/1\.1 40[04] /, path);
    t.match(answer, /\r\nx-request-id: req_[0-9a-f]{32}\r\n/, path);
    t.match(bodyOf(answer), { error: { type: 'invalid_request_error' } }, path);
    t.notMatch(answer, 'hunter2');
  }
  t.equal(logs.filter(({ msg }) => msg === 'request refused').length, 4);
  t.notMatch(JSON.stringify(logs), 'hunter2', 'people put keys into queries');
});

t.test('headers that do not come to their end are cut off, whoever else is served', async (t) => {
  const { origin } = await buildTiny(t);
  const slow = raw(origin, 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n');
  t.equal((await fetch(`${origin}/healthz`)).status, 200);
  const answer = await slow;
  t.match(answer, /^HTTP\/1\.1 408 /);
  t.match(answer, /\r\nx-request-id: req_[0-9a-f]{32}\r\n/);
  t.match(bodyOf(answer), { error: { type: 'invalid_request_error', message: /did not arrive in time/ } });
});
