import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { connect, startRedis, until, untilConnected, untilDegraded } from '../helpers/redis.ts';

t.test('connects, and says what happens when Redis is killed and comes back', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  t.strictSame(connection.state(), { status: 'connected' });
  const changes: string[] = [];
  connection.onChange(({ status }) => changes.push(status));
  t.equal(await connection.run((client) => client.set('x', '1')), 'OK');

  await redis.kill();
  await untilDegraded(connection);
  t.match(connection.state(), {
    reason: /^the connection was (refused|broken off)$|^there is no connection$/,
    since: Date,
  });
  let ran = false;
  const refused = connection.run(async () => {
    ran = true;
  });
  await t.rejects(refused, { code: 'redis_unavailable' });
  t.notOk(ran, 'nothing is queued for a Redis that is away');

  await redis.restart();
  await untilConnected(connection);
  t.equal(await connection.run((client) => client.get('x')), null);
  t.strictSame(changes, ['degraded', 'connected']);
});

t.test('a Redis that takes connections and does not answer: commands give up, later ones at once', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  redis.pause();
  await t.rejects(
    connection.run((client) => client.get('x')),
    { code: 'redis_unavailable', message: 'Redis is not available: it does not answer in time.' },
  );
  t.match(connection.state(), { status: 'degraded', reason: 'it does not answer in time' });
  redis.resume();
  await untilConnected(connection);
});

t.test('one that takes no writes is degraded, and says why', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  await redis.client.config('SET', 'maxmemory', '1');
  await untilDegraded(connection);
  t.match(connection.state(), { reason: 'its memory is full' });
  await redis.client.config('SET', 'maxmemory', '0');
  await untilConnected(connection);
});

t.test('one that breaks every connection is not stormed', async (t) => {
  let attempts = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    attempts++;
    sockets.add(socket.on('error', () => {}));
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  for (const url of [`redis://127.0.0.1:${port}`, `redis+cluster://127.0.0.1:${port}`]) {
    attempts = 0;
    const connection = await connect(t, { url });
    connection.subscribe('channel', () => {});
    for (let calls = 0; calls < 200; calls++) {
      await connection.run((client) => client.get('x')).catch(() => {});
      await sleep(10);
    }
    t.equal(connection.state().status, 'degraded');
    // Delays of at least 50, 100, 200, 400, 800 and 1600 ms, for the two connections that there are.
    t.ok(attempts >= 4 && attempts <= 14, `${attempts} attempts in 2 s of traffic at ${url.split(':')[0]}`);
    await connection.close();
    await until(() => sockets.size >= attempts);
  }
});

t.test('messages of a channel are heard, also after Redis was away', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  const heard: string[] = [];
  connection.subscribe(connection.keys.changes, (message) => heard.push(message));
  const publish = async (message: string) => {
    await until(async () => (await redis.client.publish('preamble:changes', message)) === 1);
  };
  await publish('first');
  await until(() => heard.includes('first'));
  await redis.kill();
  await redis.restart();
  await publish('second');
  await until(() => heard.includes('second'));
});
