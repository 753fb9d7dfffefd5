import t from 'tap';
import { promoted } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { redisArtifacts } from '../../src/redis/prompts/artifacts.ts';
import { connect, startRedis, until } from '../helpers/redis.ts';
import { makeVersions, prompt, startGateway, type TestGateway } from './support.ts';

/** The promise: a promotion holds for requests that come this much later. */
const WITHIN_MS = 1_000;

t.test('a promotion under traffic: two gateways follow, and requests under way keep their version', async (t) => {
  const redis = await startRedis(t);
  const directory = await makeVersions(t, '1.0.0', '1.1.0');
  const at = ['--redis', redis.url];
  for (const version of ['1.0.0', '1.1.0']) {
    t.match(await prompt('push', `tiny/careful@${version}`, '--prompts', directory, ...at), { code: 0 });
  }
  t.match(await prompt('promote', 'tiny/careful@1.0.0', ...at), { code: 0 });
  const gateways = [
    await startGateway(t, { redis: { url: redis.url }, slots: 2 }),
    await startGateway(t, { redis: { url: redis.url }, slots: 2 }),
  ];
  for (const gateway of gateways) t.equal(await gateway.ask(), 'tiny/careful@1.0.0');

  const connection = await connect(t, { url: redis.url });
  const digest = await redisArtifacts(connection).digestOf('tiny/careful', '1.1.0');
  const next = { version: '1.1.0', digest: digest ?? '' };
  // More than two slots can answer at once: most of them wait in the queue while the promotion comes.
  const underWay = gateways.flatMap((gateway) => Array.from({ length: 24 }, () => gateway.ask({ maxTokens: 100 })));
  const traffic = gateways.map((gateway) => keepAsking(gateway));
  const isAnswering = (gateway: TestGateway) => gateway.events('refusal.decision').length > 2;
  await until(() => gateways.every(isAnswering));
  // At once, which a new process is not: the command is the same call.
  await redisAliases(connection).change('tiny/careful', (alias) => promoted(alias, next, new Date()));
  const promotedAt = Date.now();
  await until(() => Date.now() > promotedAt + 2 * WITHIN_MS);
  for (const each of traffic) await each.stop();

  t.ok((await Promise.all(underWay)).includes('tiny/careful@1.0.0'));
  for (const [index, gateway] of gateways.entries()) {
    const answers = traffic[index]?.answers ?? [];
    const labels = answers.map(({ label }) => label);
    t.strictSame([...new Set(labels)], ['tiny/careful@1.0.0', 'tiny/careful@1.1.0'], 'one change, and none fails');
    t.strictSame(labels, [...labels].sort(), 'nobody gets the old one after somebody got the new one');
    const late = answers.filter(({ label, at }) => label === 'tiny/careful@1.0.0' && at > promotedAt + WITHIN_MS);
    t.strictSame(late, [], 'a second later nobody begins with the old one');
    const changed = gateway.logs.findIndex((line) => line['event'] === 'prompt.changed');
    t.match(gateway.logs[changed], { prompt: 'tiny/careful', from: 'tiny/careful@1.0.0', to: 'tiny/careful@1.1.0' });
    const oldAfter = gateway.logs
      .slice(changed)
      .filter((line) => line['event'] === 'refusal.decision')
      .filter((line) => JSON.stringify(line['prompt']).includes('1.0.0'));
    t.ok(oldAfter.length > 0, `${oldAfter.length} answers under the old version ended after the change`);
  }

  const back = await prompt('rollback', 'tiny/careful', ...at);
  t.match(back, { code: 0, stdout: 'Rolled tiny/careful back from 1.1.0 to 1.0.0\n' });
  for (const gateway of gateways) await until(async () => (await gateway.ask()) === 'tiny/careful@1.0.0');
});

interface Answered {
  readonly label: string;
  /** When it was sent. */
  readonly at: number;
}

function keepAsking(gateway: TestGateway) {
  const answers: Answered[] = [];
  const pending = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const at = Date.now();
    const asked: Promise<void> = gateway.ask().then((label) => {
      answers.push({ label, at });
      answers.sort((a, b) => a.at - b.at);
      pending.delete(asked);
    });
    pending.add(asked);
  }, 50);
  return {
    answers,
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}
