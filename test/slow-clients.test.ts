import { connect } from 'node:net';
import t from 'tap';
import { build, modelName, until } from './helpers/build.ts';
import { createFakeChat } from './helpers/fake-chat.ts';

const chat = JSON.stringify({ model: modelName, messages: [{ role: 'user', content: 'Hi' }] });
const head = (length: number) =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n`;

/** Sends the first bytes at once, the others one by one, for ever; keeps its side open whatever comes. */
async function trickle(origin: string, first: string, others: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  let answer = '';
  socket.on('error', () => {});
  socket.write(first);
  let at = 0;
  const timer = setInterval(() => socket.write(others[at++ % others.length] ?? ''), 20);
  socket.on('data', (bytes) => {
    answer += bytes;
    clearInterval(timer);
  });
  await new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
  clearInterval(timer);
  return answer;
}

t.test('whoever sends a request slower than any honest client is cut off, and told so', async (t) => {
  const { origin, server, client, logs } = await build(t, { backend: createFakeChat() });
  t.match({ ...server }, { headersTimeout: 10_000, requestTimeout: 60_000 });
  // So that nobody waits a minute for this test.
  Object.assign(server, { headersTimeout: 300, requestTimeout: 600 });
  const slow: [name: string, first: string, others: string][] = [
    ['headers', head(10), 'x-a: b\r\n'],
    ['one header without end', `${head(10)}x-a: `, 'b'],
    ['a request line', 'POST /v1/chat', '/'],
    ['nothing', '', ''],
    ['a body', `${head(100_000)}\r\n{`, ' '],
    ['a body in chunks', `${head(0).replace(/content-length: 0/, 'transfer-encoding: chunked')}\r\n`, '1\r\n \r\n'],
  ];
  for (const [name, first, others] of slow) {
    const answer = await trickle(origin, first, others);
    t.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/, name);
    t.match(answer, /\r\nx-request-id: req_/);
    t.match(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), { error: { message: /did not arrive in time/ } });
  }
  const open = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  while ((await open()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  t.pass('nor does it keep a connection by keeping its side open');
  await until(() => logs.filter(({ event }) => event === 'request').length >= 2);
  const answer = await client.chat.completions.create(JSON.parse(chat));
  t.equal(answer.choices.length, 1, 'others are served as before');
});
