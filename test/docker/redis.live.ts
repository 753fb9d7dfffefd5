import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import t from 'tap';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { connect, freePort, startServer, temporaryDirectory } from '../helpers/redis.ts';
import { copyOfDocker } from './support/files.ts';

const run = promisify(execFile);

t.test("Compose's Redis lets the gateway do its work, and strangers ask whether it is there", async (t) => {
  const folder = await copyOfDocker(t);
  await run(join(folder, 'setup.sh'));
  const directory = await temporaryDirectory(t);
  const port = await freePort();
  const settings = (await readFile(join(folder, 'redis/redis.conf'), 'utf8'))
    .replace('port 6379', `port ${port}\nbind 127.0.0.1`)
    .replace('dir /data', `dir ${directory}`)
    .replace('/run/secrets/redis-users', join(folder, 'local/redis-users.acl'));
  const file = join(directory, 'redis.conf');
  await writeFile(file, settings);
  await startServer(t, directory, [file], port);

  const url = `redis://127.0.0.1:${port}/0`;
  const password = { file: join(folder, 'local/redis-password') };
  const connection = await connect(t, { url, username: 'gateway', password });
  t.equal(connection.state().status, 'connected');
  const target = { version: '1.0.0', digest: 'a'.repeat(64) };
  await redisAliases(connection).change('careful', (alias) => promoted(alias, target, new Date()));

  const stranger = new Redis({ port, lazyConnect: true, enableReadyCheck: false });
  t.teardown(() => stranger.disconnect());
  t.equal(await stranger.ping(), 'PONG', 'its health check');
  await t.rejects(stranger.get('preamble:alias:careful'), /NOPERM/);
});
