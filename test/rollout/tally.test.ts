import t from 'tap';
import type { Arm, RolloutPart } from '../../src/policy/rollout.ts';
import { countField } from '../../src/rollout/counts.ts';
import type { Outcome } from '../../src/rollout/outcome.ts';
import { createTally } from '../../src/rollout/tally.ts';

const part = (unit: number, arm: Arm = 'stable', opens = true): RolloutPart => ({
  id: 'r',
  name: 'a/b',
  epoch: 0,
  arm,
  traffic: 'mixed',
  unit: String(unit).padStart(64, '0').split('').toReversed().join(''),
  opens,
  shadow: null,
});
const good: Outcome = { failed: false, refused: false, ms: 100, characters: 50 };
const field = (arm: Arm, measure: 'error' | 'refusal' | 'slow' | 'length', tally: 'n' | 'k' | 'only') =>
  countField({ epoch: 0, arm, traffic: 'mixed' }, measure, tally);

t.test('a conversation counts once, by its first turn', async (t) => {
  const tally = createTally();
  t.strictSame(tally.one(part(1), good), { [field('stable', 'error', 'n')]: 1, [field('stable', 'refusal', 'n')]: 1 });
  t.strictSame(tally.one(part(1), good), {}, 'again');
  t.strictSame(tally.one(part(2, 'stable', false), good), {}, 'a later turn');
  const refused = tally.one(part(3, 'candidate'), { ...good, refused: true });
  t.match(refused, { [field('candidate', 'refusal', 'k')]: 1, [field('candidate', 'error', 'n')]: 1 });
  t.strictSame(tally.one(part(4), { ...good, failed: true }), {
    [field('stable', 'error', 'n')]: 1,
    [field('stable', 'error', 'k')]: 1,
  });
});

t.test("slow and odd are measured by the stable prompt's answers, once there are enough of them", async (t) => {
  const tally = createTally();
  for (let unit = 0; unit < 100; unit++) {
    const counts = tally.one(part(unit), { ...good, ms: 100 + unit, characters: 1000 + unit });
    t.notOk(field('stable', 'slow', 'n') in counts);
  }
  const slow = tally.one(part(1000, 'candidate'), { ...good, ms: 500, characters: 1050 });
  t.match(slow, { [field('candidate', 'slow', 'k')]: 1, [field('candidate', 'length', 'n')]: 1 });
  t.notOk(field('candidate', 'length', 'k') in slow);
  for (const characters of [10, 5000]) {
    const odd = tally.one(part(2000 + characters, 'candidate'), { ...good, ms: 150, characters });
    t.match(odd, { [field('candidate', 'length', 'k')]: 1 });
    t.notOk(field('candidate', 'slow', 'k') in odd);
  }
  const refused = tally.one(part(9000, 'candidate'), { ...good, refused: true, characters: 10 });
  t.notOk(field('candidate', 'length', 'n') in refused, 'a refusal is no odd length');
});

t.test('of two answers to one request, what only one of them did is what tells them apart', async (t) => {
  const tally = createTally();
  const refused = { ...good, refused: true };
  const only = tally.pair(part(1, 'candidate'), good, refused);
  t.match(only, { [field('candidate', 'refusal', 'only')]: 1, [field('candidate', 'refusal', 'k')]: 1 });
  t.match(only, { [field('stable', 'refusal', 'n')]: 1 });
  t.notOk(field('stable', 'refusal', 'only') in only);
  t.notOk(field('candidate', 'refusal', 'only') in tally.pair(part(2, 'candidate'), refused, refused));
  t.match(tally.pair(part(3, 'candidate'), refused, good), { [field('stable', 'refusal', 'only')]: 1 });
});
