import t from 'tap';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { redisRollouts } from '../../src/redis/rollouts.ts';
import { countField } from '../../src/rollout/counts.ts';
import { connect, startRedis, until } from '../helpers/redis.ts';
import { askFor, eventsOf, logged, putIntoRedis, REFUSAL, startRolling } from './support.ts';

const STABLE = 'test/kind@1.0.0';
const CANDIDATE = 'test/kind@1.1.0-rc.1';
const start = ['start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%'];

t.test(
  'two gateways: the same conversations have the candidate, the counts are one sum, and one aborts for both',
  async (t) => {
    const redis = await startRedis(t);
    const more = { redis: { url: redis.url, onUnavailable: 'local' } };
    const { gateways, candidateSays, rollout } = await startRolling(t, { more }, 2);
    const [first, second] = gateways;
    if (first === undefined || second === undefined) return;
    const connection = await connect(t, { url: redis.url });
    await putIntoRedis(connection, first.folder);
    await rollout(...start);
    for (const gateway of gateways) await logged(gateway, 'rollout.changed');

    for (let key = 0; key < 10; key++) t.equal(await askFor(first, key), await askFor(second, key), 'both draw alike');
    candidateSays(REFUSAL);
    // Neither sees enough for itself: what is needed is the sum of both.
    let candidates = 0;
    const isOver = () => gateways.some((gateway) => eventsOf(gateway, 'rollout.aborted').length > 0);
  for (let key = 100; candidates < 36 && !isOver(); key++) {
      const gateway = key % 2 === 0 ? first : second;
      if ((await askFor(gateway, key)) === CANDIDATE) candidates++;
    }
    await until(async () => (await redisRollouts(connection).read('test/kind'))?.status === 'aborted');
    const after = await redisRollouts(connection).read('test/kind');
    t.match(after, { by: 'guardrail', evidence: { guard: 'refusal' } });
    await until(() => gateways.every((gateway) => eventsOf(gateway, 'rollout.changed').length >= 2));
    t.equal(gateways.flatMap((gateway) => eventsOf(gateway, 'rollout.aborted')).length, 1, 'one of them says so');
    for (const gateway of gateways) for (let key = 0; key < 10; key++) t.equal(await askFor(gateway, key), STABLE);
  },
);

t.test('without Redis a gateway goes on, and stops a bad candidate by what it has seen itself', async (t) => {
  const redis = await startRedis(t);
  const more = { redis: { url: redis.url, onUnavailable: 'local' } };
  const { gateways, candidateSays, rollout } = await startRolling(t, { more });
  const [gateway] = gateways;
  if (gateway === undefined) return;
  await putIntoRedis(await connect(t, { url: redis.url }), gateway.folder);
  await rollout(...start);
  await logged(gateway, 'rollout.changed');
  await redis.kill();
  await logged(gateway, 'redis.degraded');
  candidateSays(REFUSAL);
  // Once it has seen enough, nobody has the candidate any more.
  for (let key = 0; key < 80; key++) await askFor(gateway, key);
  await until(async () => {
    const labels = await Promise.all(Array.from({ length: 20 }, (_, key) => askFor(gateway, key)));
    return labels.every((label) => label === STABLE);
  });
  t.strictSame(eventsOf(gateway, 'rollout.aborted'), [], 'it is said when all gateways can hear it');
});

t.test('a batch that is told twice counts once; promote changes the alias', async (t) => {
  const redis = await startRedis(t);
  const connection = await connect(t, { url: redis.url });
  const store = redisRollouts(connection);
  const field = countField({ epoch: 0, arm: 'candidate', traffic: 'mixed' }, 'error', 'n');
  const batch = { gateway: 'a', number: 1, counts: { [field]: 3 } };
  await store.add('id', batch);
  t.strictSame({ ...(await store.add('id', batch)) }, { [field]: 3 });
  t.strictSame({ ...(await store.add('id', { ...batch, gateway: 'b' })) }, { [field]: 6 });
  t.strictSame({ ...(await store.add('id', { ...batch, number: 2 })) }, { [field]: 9 });

  const more = { redis: { url: redis.url, onUnavailable: 'local' } };
  const { gateways, rollout } = await startRolling(t, { more });
  const [gateway] = gateways;
  if (gateway === undefined) return;
  await putIntoRedis(connection, gateway.folder);
  await rollout(...start);
  await logged(gateway, 'rollout.changed');
  t.match(await rollout('promote', 'test/kind'), /^Promoted test\/kind@1\.1\.0-rc\.1, before: 1\.0\.0/);
  t.equal((await redisAliases(connection).read('test/kind'))?.stable.version, '1.1.0-rc.1');
  await until(
    async () => (await askFor(gateway, 'later')) === CANDIDATE && (await askFor(gateway, 'too')) === CANDIDATE,
  );
});
