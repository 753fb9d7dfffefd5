import t from 'tap';
import { type Alias, parseAlias, promoted, rolledBack } from '../../src/redis/prompts/alias.ts';
import { redisAliases } from '../../src/redis/prompts/aliases.ts';
import { connect, startRedis } from '../helpers/redis.ts';

const now = new Date('2026-01-02T03:04:05Z');
const target = (number: number) => ({ version: `${number}.0.0`, digest: `${number}`.padStart(64, '0') });
const promoteAll = (...numbers: number[]) =>
  numbers.reduce<Alias | null>((alias, number) => promoted(alias, target(number), now), null);

t.test('promotions and what is taken back', async (t) => {
  const third = promoteAll(1, 2, 3);
  t.match(third, { generation: 3, stable: target(3), history: [target(2), target(1)] });
  t.equal(promoted(third, target(3), now), third, 'what is stable already is left alone');
  const second = third && rolledBack(third, now);
  t.match(second, { generation: 4, stable: target(2), history: [target(1)] });
  t.equal(second?.history.length, 1, 'what was taken back is not come back to');
  const first = second && rolledBack(second, now);
  t.match(first, { generation: 5, stable: target(1), history: [] });
  t.equal(first && rolledBack(first, now), null);
  t.equal(promoteAll(...Array.from({ length: 150 }, (_, index) => index))?.history.length, 100);
});

t.test('what a later version adds is passed over and kept', async (t) => {
  const alias = { ...promoteAll(1), canary: { ...target(2), share: 0.05 } };
  const read = parseAlias(JSON.stringify(alias), 'tiny');
  t.match(promoted(read, target(3), now), { stable: target(3), canary: { share: 0.05 } });
});

t.test('what is no alias is refused', async (t) => {
  const good = JSON.stringify(promoteAll(1, 2));
  t.doesNotThrow(() => parseAlias(good, 'tiny'));
  for (const text of [
    '',
    'null',
    '[]',
    good.slice(0, -1),
    good.replace('preamble.alias/1', 'preamble.alias/2'),
    good.replace('"1.0.0"', '"latest"'),
    good.replace('0002"', '000g"'),
    `${good}${' '.repeat(70_000)}`,
  ]) {
    t.throws(() => parseAlias(text, 'tiny'), { code: 'prompt_invalid' }, text.slice(0, 60));
  }
});

t.test('of several who promote at once each counts', async (t) => {
  const redis = await startRedis(t);
  const people = [];
  for (let count = 0; count < 4; count++) people.push(redisAliases(await connect(t, { url: redis.url })));
  await Promise.all(
    people.map((aliases, index) => aliases.change('tiny', (alias) => promoted(alias, target(index), now))),
  );
  const alias = await people[0]?.read('tiny');
  t.equal(alias?.generation, 4);
  t.equal(alias?.history.length, 3);
});
