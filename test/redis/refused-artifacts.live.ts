import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { promptFromText } from '../../src/prompts/from-text.ts';
import { promoted, type Target } from '../../src/redis/prompts/alias.ts';
import { startRedis, type TestRedis, temporaryDirectory, until } from '../helpers/redis.ts';
import { tinyModelDirectory } from '../prompts/support/tiny.ts';
import { makeVersions, prompt, startGateway, startInVain } from './support.ts';

const ALIAS = 'preamble:alias:tiny/careful';

t.test('what Redis holds is not believed: refused with one line, and the old one stays', async (t) => {
  const redis = await startRedis(t);
  const at = ['--redis', redis.url];
  const directory = await makeVersions(t, '1.0.0', '2.0.0', '3.0.0');
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
    t.match(await prompt('push', `tiny/careful@${version}`, '--prompts', directory, ...at), { code: 0 });
  }
  await prompt('promote', 'tiny/careful@1.0.0', ...at);
  const gateway = await startGateway(t, { redis: { url: redis.url } });
  const [second, third] = [await targetOf(redis, '2.0.0'), await targetOf(redis, '3.0.0')];
  const key = `preamble:prompt:${second.digest}`;
  const sound = await redis.client.hgetallBuffer(key);
  const other = await redis.client.hgetallBuffer(`preamble:prompt:${third.digest}`);
  const [manifest, tensor] = [sound['manifest'] ?? Buffer.alloc(0), sound['tensor'] ?? Buffer.alloc(0)];
  const flipped = Buffer.from(tensor);
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
  const retold = manifest.toString().replace('says 2.0.0', 'says what it likes');

  const lies: Record<string, [fields: Record<string, Buffer | string>, reason: RegExp]> = {
    'a flipped bit': [{ manifest, tensor: flipped }, /is not the tensor of its manifest/],
    'half a tensor': [{ manifest, tensor: tensor.subarray(0, tensor.length / 2) }, /is not the tensor of its manifest/],
    'no tensor': [{ manifest }, /a part of it is missing/],
    'the content of another version': [{ ...other }, /is not what its name says/],
    'a changed manifest': [{ manifest: retold, tensor }, /is not what its name says/],
    'no manifest': [{ manifest: '{"format":', tensor }, /it is not JSON/],
    'more than fits': [{ manifest: Buffer.alloc(5 * 2 ** 20), tensor }, /it is too large/],
    nothing: [{}, /is not in Redis/],
  };
  let refusals = 0;
  const refusal = async () => {
    await until(() => gateway.events('prompt.refused').length > refusals);
    refusals++;
  };
  for (const [what, [fields, reason]] of Object.entries(lies)) {
    await redis.client.del(key);
    if (Object.keys(fields).length > 0) await redis.client.hset(key, fields);
    await setAlias(redis, second);
    await until(() => gateway.events('prompt.refused').length > refusals);
    t.equal(await gateway.ask(), 'tiny/careful@1.0.0', what);
    t.equal(gateway.events('prompt.refused').length, ++refusals, 'one line');
    t.match(gateway.events('prompt.refused').at(-1), { kept: 'tiny/careful@1.0.0', err: { message: reason } }, what);
  }

  // It is looked at twice a second, and what was refused is not refused anew.
  await sleep(1_500);
  t.equal(gateway.events('prompt.refused').length, refusals);

  await redis.client.hset(key, sound);
  await setAlias(redis, { ...third, version: '2.0.0' });
  await refusal();
  await redis.client.set(ALIAS, '{"stable":"me"}');
  await redis.client.publish('preamble:changes', 'tiny/careful');
  await refusal();
  await redis.client.set(ALIAS, 'x'.repeat(10 ** 6));
  await redis.client.publish('preamble:changes', 'tiny/careful');
  await refusal();
  t.equal(await gateway.ask(), 'tiny/careful@1.0.0');
  t.match(await gateway.readiness(), { status: 200 });

  await setAlias(redis, second);
  await until(async () => (await gateway.ask()) === 'tiny/careful@2.0.0');
  t.equal(gateway.events('prompt.refused').length, refusals);
});

t.test('a prompt of another model is refused while serving, and at a start is an error', async (t) => {
  const redis = await startRedis(t);
  const at = ['--redis', redis.url];
  const directory = await makeVersions(t, '1.0.0');
  const foreign = await temporaryDirectory(t);
  const wanted = { name: 'tiny/careful', version: '2.0.0', position: 'system', text: 'Be kind.' } as const;
  const { content, tensor } = await promptFromText(tinyModelDirectory, wanted);
  const model = { ...content.model, embeddingsSha256: 'a'.repeat(64), tokenizerSha256: 'b'.repeat(64) };
  await writePrompt(foreign, { ...content, model }, tensor);
  await prompt('push', 'tiny/careful@1.0.0', '--prompts', directory, ...at);
  await prompt('push', 'tiny/careful@2.0.0', '--prompts', foreign, ...at);
  await prompt('promote', 'tiny/careful@1.0.0', ...at);
  const gateway = await startGateway(t, { redis: { url: redis.url } });
  t.match(await prompt('promote', 'tiny/careful@2.0.0', ...at), { code: 0 });
  await until(() => gateway.events('prompt.refused').length > 0);
  t.equal(await gateway.ask(), 'tiny/careful@1.0.0');
  t.match(gateway.events('prompt.refused'), [{ kept: 'tiny/careful@1.0.0', err: { code: 'prompt_mismatch' } }]);

  t.match(await startInVain(t, { redis: { url: redis.url } }), /^preamble: .*tiny\/careful@2\.0\.0/);
  await redis.kill();
  await gateway.kill();
  const again = await startGateway(t, { redis: { url: redis.url }, cache: gateway.cache });
  t.equal(await again.ask(), 'tiny/careful@1.0.0', 'what was refused was never remembered');
});

async function targetOf(redis: TestRedis, version: string): Promise<Target> {
  return { version, digest: (await redis.client.hget('preamble:versions:tiny/careful', version)) ?? '' };
}

/** As somebody would who can write to Redis, past the command and its checks. */
async function setAlias(redis: TestRedis, target: Target): Promise<void> {
  await redis.client.set(ALIAS, JSON.stringify(promoted(null, target, new Date())));
  await redis.client.publish('preamble:changes', 'tiny/careful');
}
