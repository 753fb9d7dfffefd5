import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { connect, freePort, startRedis, startServer, temporaryDirectory, until } from '../helpers/redis.ts';

const target = { version: '1.0.0', digest: 'a'.repeat(64) };

t.test('sentinels lead to the master, and after its death to the one that takes its place', async (t) => {
  const master = await startRedis(t);
  const replica = await startRedis(t, ['--replicaof', '127.0.0.1', String(master.port)]);
  await until(async () => (await replica.client.info('replication')).includes('master_link_status:up'));
  const port = await freePort();
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'sentinel.conf');
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
    ].join('\n'),
  );
  await startServer(t, directory, [file, '--sentinel'], port);

  const connection = await connect(t, { url: `redis+sentinel://127.0.0.1:1,127.0.0.1:${port}/main` });
  await until(() => connection.state().status === 'connected');
  const aliases = redisAliases(connection);
  await aliases.change('tiny', (alias) => promoted(alias, target, new Date()));
  await until(async () => (await replica.client.exists('preamble:alias:tiny')) === 1);

  const changes: string[] = [];
  connection.onChange(({ status }) => changes.push(status));
  await master.kill();
  await until(() => changes.includes('connected'));
  t.strictSame(changes, ['degraded', 'connected']);
  t.match(await aliases.read('tiny'), { stable: target });
  await aliases.change('tiny', (alias) => promoted(alias, { ...target, digest: 'b'.repeat(64) }, new Date()));
  t.match(await replica.client.get('preamble:alias:tiny'), 'b'.repeat(64), 'the replica is the master now');
});
