import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import t, { type Test } from 'tap';
import { readArtifactBytes } from '../../src/prompts/artifact.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { checkArtifact, redisArtifacts } from '../../src/redis/prompts/artifacts.ts';
import { openPromptCache } from '../../src/redis/prompts/cache.ts';
import { createRedisPrompts } from '../../src/redis/prompts/source.ts';
import { connect, startRedis, type TestRedis, temporaryDirectory, until, untilDegraded } from '../helpers/redis.ts';
import { makeVersions } from './support.ts';

const name = 'tiny/careful';

/** One gateway's view, with nothing in its own directories. */
async function source(t: Test, redis: TestRedis, root: string) {
  const connection = await connect(t, { url: redis.url });
  const warnings: string[] = [];
  const cache = openPromptCache({ space: 'test', root, onUnwritable: (error) => warnings.push(error.message) });
  const prompts = createRedisPrompts({ redis: connection, cache, logger: pino({ level: 'silent' }) });
  const registry = prompts.over(await openPromptRegistry([await temporaryDirectory(t)]));
  return { connection, prompts, registry, warnings };
}

async function pushed(t: Test, redis: TestRedis, version: string) {
  const directory = join(await makeVersions(t, version), name, version);
  const artifact = checkArtifact(await readArtifactBytes(directory), null, directory);
  const { digest } = await redisArtifacts(await connect(t, { url: redis.url })).push(artifact);
  return { version, digest };
}

t.test('a change that nobody announced is found by looking', async (t) => {
  const redis = await startRedis(t);
  const { prompts, registry } = await source(t, redis, await temporaryDirectory(t));
  const [first, second] = [await pushed(t, redis, '1.0.0'), await pushed(t, redis, '2.0.0')];
  const set = (alias: ReturnType<typeof promoted>) => redis.client.set(`preamble:alias:${name}`, JSON.stringify(alias));
  await set(promoted(null, first, new Date()));
  t.equal((await registry.resolve(name)).version, '1.0.0');
  let changes = 0;
  prompts.watch(async () => {
    changes++;
    await registry.resolve(name);
  });
  await set(promoted(null, second, new Date()));
  await until(() => changes === 1);
  t.match(await registry.resolve(name), { version: '2.0.0', digest: second.digest });
});

t.test(
  'a Redis that comes back empty undoes no promotion, nor one that is not served yet as its model is loading',
  async (t) => {
    const redis = await startRedis(t);
    const { connection, prompts } = await source(t, redis, await temporaryDirectory(t));
    // Newer than what is promoted, and promoted by nobody.
    const registry = prompts.over(await openPromptRegistry([await makeVersions(t, '3.0.0')]));
    const target = await pushed(t, redis, '1.0.0');
    await redis.client.set(`preamble:alias:${name}`, JSON.stringify(promoted(null, target, new Date())));
    t.equal((await registry.resolve(name)).version, '1.0.0');
    await redis.client.flushall();
    t.equal((await registry.resolve(name)).version, '1.0.0', 'found, and never accepted');
    t.match(prompts.degradations(), [/forgotten what tiny\/careful means/]);
    await redis.kill();
    await untilDegraded(connection);
    t.equal((await registry.resolve(name)).version, '1.0.0', 'nor does one that is away');
  },
);

t.test(
  'what is served is what is known without Redis, though another change was announced while it was taken over',
  async (t) => {
    const redis = await startRedis(t);
    const { connection, prompts, registry } = await source(t, redis, await temporaryDirectory(t));
    const [first, second] = [await pushed(t, redis, '1.0.0'), await pushed(t, redis, '2.0.0')];
    const set = (alias: ReturnType<typeof promoted>) =>
      redis.client.set(`preamble:alias:${name}`, JSON.stringify(alias));
    await set(promoted(null, first, new Date()));
    await prompts.accept(name, await registry.resolve(name));
    let [heard, served] = [0, ''];
    prompts.watch(async () => {
      const version = await registry.resolve(name);
      const before = heard;
      await until(async () => {
        await redis.client.publish('preamble:changes', name);
        return heard > before;
      });
      await prompts.accept(name, version);
      served = version.version;
    });
    // Behind the one above: what it hears that one has heard.
    connection.subscribe('preamble:changes', () => {
      heard++;
    });
    await set(promoted(null, second, new Date()));
    await until(() => served === '2.0.0');
    await redis.kill();
    await untilDegraded(connection);
    t.equal((await registry.resolve(name)).version, '2.0.0');
  },
);

t.test('a refresh that fails is tried again', async (t) => {
  const redis = await startRedis(t);
  const { prompts, registry } = await source(t, redis, await temporaryDirectory(t));
  const first = await pushed(t, redis, '1.0.0');
  await t.rejects(registry.resolve(name), { code: 'prompt_not_found' });
  let attempts = 0;
  prompts.watch(async () => {
    attempts++;
    if (attempts < 3) throw new Error('not now');
    await registry.resolve(name);
  });
  await redis.client.set(`preamble:alias:${name}`, JSON.stringify(promoted(null, first, new Date())));
  await until(() => attempts === 3);
  t.equal((await registry.resolve(name)).version, '1.0.0');
});

t.test('what is kept on disk is believed as little as what is in Redis', async (t) => {
  const redis = await startRedis(t);
  const root = await temporaryDirectory(t);
  const target = await pushed(t, redis, '1.0.0');
  await redis.client.set(`preamble:alias:${name}`, JSON.stringify(promoted(null, target, new Date())));
  const one = await source(t, redis, root);
  const version = await one.registry.resolve(name);
  await one.prompts.accept(name, version);
  t.equal(version.directory, join(root, 'prompts', 'artifacts', target.digest));
  const tensor = join(version.directory, 'prompt.safetensors');
  const bytes = await readFile(tensor);
  await writeFile(tensor, 'something else');

  const two = await source(t, redis, root);
  t.equal((await (await two.registry.resolve(name)).load()).digest, target.digest, 'fetched anew');
  t.strictSame(await readFile(tensor), bytes, 'and put right');
  await writeFile(join(version.directory, 'prompt.json'), '{}');
  const three = await source(t, redis, root);
  await redis.kill();
  await untilDegraded(three.connection);
  await t.rejects(three.registry.resolve(name), { code: 'redis_unavailable' });
});

t.test('a disk that takes nothing: everything goes on, and it is said once', async (t) => {
  const redis = await startRedis(t);
  // A file where the folder should be: nobody can write there, not even root.
  const root = join(await temporaryDirectory(t), 'file');
  await writeFile(root, '');
  await chmod(root, 0o400);
  const target = await pushed(t, redis, '1.0.0');
  await redis.client.set(`preamble:alias:${name}`, JSON.stringify(promoted(null, target, new Date())));
  const { prompts, registry, warnings } = await source(t, redis, root);
  const version = await registry.resolve(name);
  await prompts.accept(name, version);
  t.equal((await version.load()).digest, target.digest);
  t.equal(warnings.length, 1);
});
