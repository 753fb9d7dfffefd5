import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { question, writeProxySettings } from '../helpers/build-proxy.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { temporaryDirectory } from '../helpers/redis.ts';
import { startGatewayProcess } from './gateway-process.ts';

const CONNECTIONS = 10_000;
/** The system's queue of connections that nobody has accepted yet is a few hundred long. */
const AT_A_TIME = 200;
/** A connection in its socket, its parser and its place in the list of those that are watched. */
const HELD_EACH_BYTES = 12 * 1024;
const LEFT_BYTES = 8 * 2 ** 20;
t.setTimeout(600_000);

t.test('10,000 connections that say nothing: others are answered, and nothing is left of them', async (t) => {
  const folder = await writeProxySettings(t, [await startFakeVllm(t)]);
  const gateway = await startGatewayProcess(t, {
    config: join(folder, 'preamble.yaml'),
    cache: await temporaryDirectory(t),
    onLine: () => {},
  });
  await gateway.ready();
  const ask = async () => {
    const response = await fetch(`${gateway.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(question),
    });
    await response.text();
    return response.status;
  };
  t.equal(await ask(), 200);
  const before = await gateway.held();

  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const { hostname, port } = new URL(gateway.origin);
  while (sockets.length < CONNECTIONS) {
    const some = Array.from({ length: AT_A_TIME }, () => createConnection(Number(port), hostname));
    for (const socket of some) socket.on('error', () => {}).resume();
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
    // Who says nothing for ten seconds is let go: on a slow machine the first are gone before the last have come.
    if (sockets.length % 2_000 === 0) t.equal(await ask(), 200, `answered beside ${sockets.length}`);
  }
  const during = await gateway.held();
  t.comment(
    `${during.sockets} connections held ${during.heapUsed + during.external - before.heapUsed - before.external} bytes more`,
  );
  const each = (during.heapUsed + during.external - before.heapUsed - before.external - LEFT_BYTES) / CONNECTIONS;
  t.ok(each < HELD_EACH_BYTES, `${Math.round(each)} bytes each`);

  for (const socket of sockets) socket.destroy();
  while ((await gateway.held()).sockets > before.sockets) await sleep(100);
  const after = await gateway.held();
  const left = after.heapUsed + after.external - before.heapUsed - before.external;
  t.ok(left < LEFT_BYTES, `${left} bytes are left`);
  t.equal(await ask(), 200);
  t.equal(await gateway.end('SIGTERM'), 0);
});
