import { createHash } from 'node:crypto';
import t from 'tap';
import { startRedis, until } from '../helpers/redis.ts';
import { makeVersions, prompt, startGateway, startInVain } from './support.ts';

const key = 'pk-test';
const tenant = {
  id: 'web',
  keys: [`sha256:${createHash('sha256').update(key).digest('hex')}`],
  limits: { requestsPerMinute: 6 },
};

t.test(
  'kill -9 of Redis: serving goes on under the same version, /readyz says degraded, then all is well again',
  async (t) => {
    const redis = await startRedis(t);
    const directory = await makeVersions(t, '1.0.0', '2.0.0');
    const at = ['--redis', redis.url];
    await prompt('push', 'tiny/careful@1.0.0', '--prompts', directory, ...at);
    await prompt('promote', 'tiny/careful@1.0.0', ...at);
    // Its own directory has a newer version, which nobody has promoted.
    const options = { redis: { url: redis.url }, promptDirectories: [directory] };
    const gateway = await startGateway(t, options);
    t.strictSame(await gateway.readiness(), { status: 200, body: { status: 'ready' } });
    t.equal(await gateway.ask(), 'tiny/careful@1.0.0');

    await redis.kill();
    const degraded = async () => JSON.stringify((await gateway.readiness()).body).includes('degraded');
    await until(degraded);
    t.match(await gateway.readiness(), {
      status: 200,
      body: {
        status: 'degraded',
        reason:
          /^Redis is not available since \d{4}-\S+Z: (the connection was (refused|broken off)|there is no connection)\.$/,
      },
    });
    const labels = new Set<string>();
    for (let count = 0; count < 20; count++) labels.add(await gateway.ask());
    t.strictSame([...labels], ['tiny/careful@1.0.0']);
    t.equal(gateway.events('redis.degraded').length, 1, 'one line, not one a request');

    // A restart without Redis serves what was promoted last; one that never knew serves nothing rather than a guess.
    await gateway.kill();
    const again = await startGateway(t, { ...options, cache: gateway.cache });
    t.equal(await again.ask(), 'tiny/careful@1.0.0');
    t.match(await again.readiness(), { status: 200, body: { status: 'degraded' } });
    const stranger = await startGateway(t, options);
    t.equal(await stranger.ask(), 'prompt_unavailable');
    t.match(await stranger.readiness(), { status: 503, body: { reason: /The prompt of tiny is not available/ } });
    const withText = await startGateway(t, { ...options, onPromptUnavailable: 'none' });
    t.equal(await withText.ask(), 'none', 'the named setting holds');

    // Redis comes back empty: what was promoted is not undone, and a promotion of anew is followed.
    await redis.restart();
    await until(async () => again.events('prompt.forgotten').length === 1);
    t.equal(await again.ask(), 'tiny/careful@1.0.0');
    t.match(await again.readiness(), { status: 200, body: { reason: /Redis has forgotten what tiny\/careful means/ } });
    await prompt('push', 'tiny/careful@2.0.0', '--prompts', directory, ...at);
    await prompt('promote', 'tiny/careful@2.0.0', ...at);
    for (const each of [again, stranger, withText]) {
      await until(async () => (await each.ask()) === 'tiny/careful@2.0.0');
      t.strictSame(await each.readiness(), { status: 200, body: { status: 'ready' } });
    }
  },
);

t.test('limits follow the named setting while Redis is away', async (t) => {
  for (const onUnavailable of ['local', 'refuse']) {
    const redis = await startRedis(t);
    const directory = await makeVersions(t, '1.0.0');
    await prompt('push', 'tiny/careful', '--prompts', directory, '--redis', redis.url);
    await prompt('promote', 'tiny/careful@1.0.0', '--redis', redis.url);
    const options = { redis: { url: redis.url, onUnavailable }, tenants: [tenant] };
    const [one, two] = [await startGateway(t, options), await startGateway(t, options)];
    const ask = { key };
    for (const gateway of [one, two, one, two, one]) t.equal(await gateway.ask(ask), 'tiny/careful@1.0.0');
    await redis.kill();
    await until(async () => one.events('redis.degraded').length + two.events('redis.degraded').length === 2);
    const answers: string[] = [];
    for (let count = 0; count < 8; count++) answers.push(await two.ask(ask));
    const granted = answers.filter((answer) => answer === 'tiny/careful@1.0.0').length;
    if (onUnavailable === 'local') {
      t.equal(granted, 6, 'each gateway counts for itself, from nothing');
      t.equal(answers.at(-1), 'rate_limit_exceeded');
    } else t.strictSame([...new Set(answers)], ['limits_unavailable']);

    await redis.restart();
    await until(async () => [one, two].every((gateway) => gateway.events('redis.connected').length === 2));
    const after: string[] = [];
    for (let count = 0; count < 8; count++) after.push(await (count % 2 === 0 ? one : two).ask(ask));
    t.equal(after.filter((answer) => answer === 'tiny/careful@1.0.0').length, 6, 'together again');
  }
});

t.test(
  'a version that no directory has comes from Redis, and a name that nobody promoted from the directories',
  async (t) => {
    const redis = await startRedis(t);
    const [own, pushed] = [await makeVersions(t, '1.0.0', '1.2.0'), await makeVersions(t, '3.0.0')];
    await prompt('push', 'tiny/careful@3.0.0', '--prompts', pushed, '--redis', redis.url);
    const common = { redis: { url: redis.url }, promptDirectories: [own] };
    const bare = await startGateway(t, common);
    t.equal(await bare.ask(), 'tiny/careful@1.2.0');
    const pinned = await startGateway(t, { ...common, prompt: 'tiny/careful@3.0.0' });
    t.equal(await pinned.ask(), 'tiny/careful@3.0.0');
    const said = await startInVain(t, { ...common, prompt: 'tiny/careful@4.0.0' });
    t.match(said, /^preamble: There is no prompt "tiny\/careful@4\.0\.0"/);

    await redis.kill();
    for (const [gateway, reference] of [
      [bare, 'tiny/careful'],
      [pinned, 'tiny/careful@3.0.0'],
    ] as const) {
      const before = await gateway.ask();
      await gateway.kill();
      const again = await startGateway(t, { ...common, prompt: reference, cache: gateway.cache });
      t.equal(await again.ask(), before, `${reference} without Redis`);
    }
  },
);
