import t from 'tap';
import { askFor, logged, startRolling } from './support.ts';

const CANDIDATE = 'test/kind@1.1.0-rc.1';
const start = ['start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%', '--until', 'requests >= 5'];

t.test('promote refuses while a condition is unmet, says which, and does it when all are met', async (t) => {
  const { gateways, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) return;
  await rollout(...start);
  await logged(gateway, 'rollout.changed');
  await t.rejects(rollout('promote', 'test/kind'), {
    code: 'rollout_invalid',
    message: 'test/kind has not met its conditions: requests >= 5.',
    action: /--force/,
  });
  t.match(await rollout('status', 'test/kind'), /requests >= 5: not shown yet \(0\)/);
  for (let key = 0, candidates = 0; candidates < 5; key++) {
    if ((await askFor(gateway, key)) === CANDIDATE) candidates++;
  }
  // watching ends when it is ready: every condition is met
  t.match(await rollout('status', 'test/kind', '--watch'), /All conditions are met: it can be promoted/);
  t.match(await rollout('promote', 'test/kind'), /^Promoted test\/kind@1\.1\.0-rc\.1, before: 1\.0\.0/);
});

t.test('--force promotes all the same', async (t) => {
  const { gateways, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) return;
  await rollout(...start);
  await logged(gateway, 'rollout.changed');
  t.match(await rollout('promote', 'test/kind', '--force'), /^Promoted/);
  await logged(gateway, 'rollout.changed', 2);
  t.equal(await askFor(gateway, 0), CANDIDATE);
});
