import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startRedis, temporaryDirectory } from '../helpers/redis.ts';
import { makeVersions, prompt } from '../redis/support.ts';

t.test('pushed, promoted, pulled, and rolled back', async (t) => {
  const redis = await startRedis(t);
  const directory = await makeVersions(t, '1.0.0', '1.1.0');
  const at = ['--redis', redis.url];
  const from = ['--prompts', directory, ...at];

  t.strictSame(await prompt('push', 'tiny/careful@1.0.0', ...from), {
    code: 0,
    stdout: 'Pushed tiny/careful@1.0.0 to Redis\n',
    stderr: '',
  });
  t.match(await prompt('push', 'tiny/careful@1.0.0', ...from), { stdout: 'tiny/careful@1.0.0 is in Redis already\n' });
  const pushed = JSON.parse((await prompt('push', 'tiny/careful', ...from, '--json')).stdout);
  t.match(pushed, { prompt: 'tiny/careful@1.1.0', digest: /^[0-9a-f]{64}$/, isNew: true });

  t.match(await prompt('promote', 'tiny/careful@1.0.0', ...at), {
    code: 0,
    stdout: 'Promoted tiny/careful@1.0.0, before: none\n',
  });
  t.match(JSON.parse((await prompt('promote', 'tiny/careful@1.1.0', ...at, '--json')).stdout), {
    version: '1.1.0',
    digest: pushed.digest,
    previous: '1.0.0',
    generation: 2,
  });
  t.match(await prompt('promote', 'tiny/careful@1.1.0', ...at), { stdout: 'tiny/careful@1.1.0 is stable already\n' });

  t.match(
    (await prompt('list', '--redis', redis.url)).stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['PROMPT', 'PROMOTED', 'DIGEST'],
      ['tiny/careful@1.0.0', '-', /^[0-9a-f]{12}$/],
      ['tiny/careful@1.1.0', 'stable', pushed.digest.slice(0, 12)],
      [''],
    ],
  );

  const out = await temporaryDirectory(t);
  t.match(await prompt('pull', 'tiny/careful', '--out', out, ...at), { stdout: /^Wrote tiny\/careful@1\.1\.0 \(/ });
  for (const file of ['prompt.json', 'prompt.safetensors']) {
    const path = join('tiny', 'careful', '1.1.0', file);
    t.strictSame(await readFile(join(out, path)), await readFile(join(directory, path)), `${file}, byte for byte`);
  }
  t.match(await prompt('pull', 'tiny/careful@1.1.0', '--out', out, ...at), { stdout: /is there already/ });
  t.match(await prompt('verify', 'tiny/careful', '--prompts', out), { code: 0 });

  t.match(await prompt('rollback', 'tiny/careful', ...at), {
    stdout: 'Rolled tiny/careful back from 1.1.0 to 1.0.0\n',
  });
  t.match(await prompt('rollback', 'tiny/careful', ...at), {
    code: 1,
    stdout: '',
    stderr:
      'preamble: There is no version of tiny/careful to go back to. Promote one: preamble prompt promote NAME@VERSION.\n',
  });
});

t.test('what cannot be done is said on one line, with exit code 1', async (t) => {
  const redis = await startRedis(t);
  const [directory, other] = [await makeVersions(t, '1.0.0'), await makeVersions(t, '1.0.0')];
  const at = ['--redis', redis.url];
  await prompt('push', 'tiny/careful', '--prompts', directory, ...at);
  const digest = await redis.client.hget('preamble:versions:tiny/careful', '1.0.0');
  const key = `preamble:prompt:${digest}`;
  const tensor = (await redis.client.hgetBuffer(key, 'tensor')) ?? Buffer.alloc(0);

  await t.test('one line', async (t) => {
    const cases: [args: string[], says: RegExp][] = [
      [['push', 'tiny/careful', '--prompts', other, ...at], /is in Redis already, with other content.*new version/],
      [['promote', 'tiny/careful@9.0.0', ...at], /is not in Redis\. Push it/],
      [['promote', 'tiny/careful', ...at], /names no version/],
      [['rollback', 'tiny/careful@1.0.0', ...at], /Give the name alone/],
      [['rollback', 'tiny/careful', ...at], /no version of tiny\/careful to go back to/],
      [['pull', 'tiny/careful', ...at], /No version of tiny\/careful is promoted/],
      [['push', 'tiny/careful', '--prompts', directory, '--redis', 'redis://127.0.0.1:1'], /connection was refused/],
      [['rollback', 'tiny/careful', '--redis', 'redis://:sEcReT@127.0.0.1:1'], /without a password/],
      [['rollback', 'tiny/careful', '--config', join(directory, 'none.yaml')], /does not exist/],
    ];
    for (const [args, says] of cases) {
      const { code, stdout, stderr } = await prompt(...args);
      t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: /^preamble: [^\n]+\n$/ }, args.join(' '));
      t.match(stderr, says);
      t.notMatch(stderr, /sEcReT/);
    }
  });

  await redis.client.hset(key, 'tensor', Buffer.concat([tensor.subarray(1), Buffer.from([0])]));
  t.match(await prompt('promote', 'tiny/careful@1.0.0', ...at), {
    code: 1,
    stderr: /is not the tensor of its manifest/,
  });
  t.match(await prompt('pull', 'tiny/careful@1.0.0', '--out', other, ...at), { code: 1 });
  t.match(await prompt('push', 'tiny/careful', '--prompts', directory, ...at), { code: 0, stdout: /^Pushed/ });
  t.strictSame(await redis.client.hgetBuffer(key, 'tensor'), tensor, 'pushing again puts it right');
  t.match(await prompt('promote', 'tiny/careful@1.0.0', ...at), { code: 0 });
});

t.test('with the Redis of the configuration', async (t) => {
  const redis = await startRedis(t);
  const directory = await makeVersions(t, '1.0.0');
  const config = join(directory, 'preamble.yaml');
  await writeFile(config, `redis: { url: "${redis.url}", onUnavailable: local, keyPrefix: "team-a:" }\n`);
  t.match(await prompt('push', 'tiny/careful', '--prompts', directory, '--config', config), { code: 0 });
  t.match(await prompt('promote', 'tiny/careful@1.0.0', '--config', config), { code: 0 });
  const keys = (await redis.client.keys('*')).sort();
  t.match(keys, [
    'team-a:alias:tiny/careful',
    'team-a:probe',
    /^team-a:prompt:[0-9a-f]{64}$/,
    'team-a:prompts',
    'team-a:versions:tiny/careful',
  ]);
  t.equal(keys.length, 5, 'every key has the prefix');
});
