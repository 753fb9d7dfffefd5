import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { readArtifactBytes } from '../../src/prompts/artifact.ts';
import { createRedisCounters } from '../../src/redis/counters.ts';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { checkArtifact, redisArtifacts } from '../../src/redis/prompts/artifacts.ts';
import { makeCertificates, tlsFlags } from '../helpers/certificates.ts';
import { connect, startRedis, type TestRedis, until, untilConnected, untilDegraded } from '../helpers/redis.ts';
import { makeVersions } from './support.ts';

const run = promisify(execFile);

/** Three masters; `flags` on each, `cliFlags` for redis-cli. */
async function startCluster(t: Parameters<typeof startRedis>[0], flags: string[] = [], cliFlags: string[] = []) {
  const nodes: TestRedis[] = [];
  for (let count = 0; count < 3; count++) nodes.push(await startRedis(t, ['--cluster-enabled', 'yes', ...flags]));
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', [...cliFlags, '--cluster', 'create', ...hosts, '--cluster-yes']);
  return { nodes, hosts };
}

t.test('a cluster: artifacts, aliases, messages and counters, spread over the nodes', async (t) => {
  const { nodes, hosts } = await startCluster(t);
  // One address is enough, and one that is down is no harm.
  const connection = await connect(t, { url: `redis+cluster://127.0.0.1:1,${hosts[0]}` });
  await untilConnected(connection);
  const heard: string[] = [];
  connection.subscribe(connection.keys.changes, (name) => heard.push(name));

  const directory = `${await makeVersions(t, '1.0.0')}/tiny/careful/1.0.0`;
  const artifact = checkArtifact(await readArtifactBytes(directory), null, directory);
  const artifacts = redisArtifacts(connection);
  const { digest } = await artifacts.push(artifact);
  t.strictSame((await artifacts.pull(digest))?.manifest, artifact.manifest);
  t.equal(await artifacts.digestOf('tiny/careful', '1.0.0'), digest);

  const names = Array.from({ length: 20 }, (_, index) => `tiny/careful-${index}`);
  const aliases = redisAliases(connection);
  for (const name of names) {
    await aliases.change(name, (alias) => promoted(alias, { version: '1.0.0', digest }, new Date()));
    t.match(await aliases.read(name), { stable: { digest } });
  }
  await until(async () => {
    await aliases.change('tiny/again', (alias) =>
      promoted(alias, { version: '1.0.0', digest: `${alias?.generation ?? 0}`.padStart(64, '0') }, new Date()),
    );
    return heard.includes('tiny/again');
  });

  const counters = createRedisCounters(connection);
  for (let tenant = 0; tenant < 20; tenant++) {
    const asked = {
      tenant: `tenant-${tenant}`,
      limits: { requestsPerMinute: 1, streams: 2 },
      tokens: 1,
      leaseMs: 1000,
    };
    const taken = await counters.take(asked);
    t.equal(taken.granted, true);
    if (taken.granted) await taken.grant.settle(1);
    t.match(await counters.take(asked), { granted: false, over: 'requests' });
  }
  for (const { client } of nodes) t.ok((await client.dbsize()) > 3, 'each node has its share');

  for (const node of nodes) await node.kill();
  await untilDegraded(connection);
  await t.rejects(aliases.read('tiny/again'), { code: 'redis_unavailable' });
});

t.test('a cluster over TLS', async (t) => {
  const certificates = await makeCertificates(t);
  const { hosts } = await startCluster(t, tlsFlags(certificates), ['--tls', '--cacert', certificates.authority]);
  const connection = await connect(t, { url: `rediss+cluster://${hosts.join(',')}`, caFile: certificates.authority });
  await untilConnected(connection);
  for (const key of ['a', 'b', 'c', 'd', 'e']) t.equal(await connection.run((client) => client.set(key, key)), 'OK');
});
