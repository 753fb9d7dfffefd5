import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import type { PreambleError } from '../../src/errors.ts';
import { createRedisCounters } from '../../src/redis/counters.ts';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { makeCertificates, tlsFlags } from '../helpers/certificates.ts';
import { connect, startRedis, temporaryDirectory, until } from '../helpers/redis.ts';

const PASSWORD = 'sEcReT-1234';

async function passwordFile(t: Parameters<typeof startRedis>[0], password: string): Promise<{ file: string }> {
  const file = join(await temporaryDirectory(t), 'password');
  await writeFile(file, `${password}\n`);
  return { file };
}

t.test('a password, right, wrong and missing', async (t) => {
  const redis = await startRedis(t, ['--requirepass', PASSWORD]);
  const right = await connect(t, { url: redis.url, password: await passwordFile(t, PASSWORD) });
  t.equal(right.state().status, 'connected');
  const wrong = await connect(t, { url: redis.url, password: await passwordFile(t, `not-${PASSWORD}`) });
  t.match(wrong.state(), { status: 'degraded', reason: /user name or password is wrong/ });
  const missing = await connect(t, { url: redis.url });
  t.match(missing.state(), { status: 'degraded', reason: /asks for a password/ });
  for (const connection of [wrong, missing]) {
    const error = await connection.run((client) => client.get('x')).catch((thrown: PreambleError) => thrown);
    t.match(error, { code: 'redis_unavailable' });
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), PASSWORD);
  }
  const open = await startRedis(t);
  const needless = await connect(t, { url: open.url, password: await passwordFile(t, PASSWORD) });
  t.equal(needless.state().status, 'connected', 'a server without a password takes any');
});

t.test('an ACL user with no more than docs/redis.md names', async (t) => {
  const redis = await startRedis(t);
  const rules =
    'resetchannels ~preamble:* &preamble:* +@read +@write +@connection +@pubsub +@scripting +time -@dangerous';
  await redis.client.call('ACL', 'SETUSER', 'gateway', 'on', `>${PASSWORD}`, ...rules.split(' '));
  const user = { username: 'gateway', password: await passwordFile(t, PASSWORD) };
  const connection = await connect(t, { url: redis.url, ...user });
  t.equal(connection.state().status, 'connected');
  const heard: string[] = [];
  connection.subscribe(connection.keys.changes, (name) => heard.push(name));
  const target = { version: '1.0.0', digest: 'a'.repeat(64) };
  let version = 0;
  await until(async () => {
    version++;
    const next = { ...target, digest: `${version}`.padStart(64, '0') };
    await redisAliases(connection).change('tiny', (alias) => promoted(alias, next, new Date()));
    return heard.includes('tiny');
  });
  const limits = { requestsPerMinute: 5, tokensPerMinute: 5, streams: 1 };
  const taken = await createRedisCounters(connection).take({ tenant: 'web', limits, tokens: 1, leaseMs: 1000 });
  t.equal(taken.granted, true);
  if (taken.granted) await taken.grant.settle(2);

  const other = await connect(t, { url: redis.url, ...user, keyPrefix: 'other:' });
  t.match(other.state(), { status: 'degraded', reason: /lacks a permission/ });
});

t.test('TLS: the authority that is named is trusted, and no other', async (t) => {
  const [ours, theirs] = [await makeCertificates(t), await makeCertificates(t)];
  const redis = await startRedis(t, [...tlsFlags(ours), '--requirepass', PASSWORD]);
  const url = redis.url.replace('redis:', 'rediss:');
  const password = await passwordFile(t, PASSWORD);
  const connection = await connect(t, { url, password, caFile: ours.authority });
  t.equal(connection.state().status, 'connected');
  t.equal(await connection.run((client) => client.ping()), 'PONG');
  const refused = /^TLS failed with [A-Z_]+$/;
  const stranger = await connect(t, { url, password, caFile: theirs.authority });
  t.match(stranger.state(), { status: 'degraded', reason: refused });
  const system = await connect(t, { url, password });
  t.match(system.state(), { status: 'degraded', reason: refused });
  const plain = await connect(t, { url: redis.url, password });
  t.equal(plain.state().status, 'degraded');
});

t.test('files that hold no certificate, and secrets that are not there', async (t) => {
  const { file } = await passwordFile(t, 'no certificate');
  await t.rejects(connect(t, { url: 'rediss://127.0.0.1:1', caFile: file }), { code: 'config_invalid' });
  await t.rejects(connect(t, { url: 'rediss://127.0.0.1:1', caFile: `${file}-not` }), { code: 'file_unreadable' });
  await t.rejects(connect(t, { url: 'redis://127.0.0.1:1', password: { env: 'PREAMBLE_TEST_NOT_SET' } }), {
    code: 'config_invalid',
  });
});
