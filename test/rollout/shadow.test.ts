import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { answer, askFor, hasCandidate, logged, opening, REFUSAL, startRolling } from './support.ts';

const STABLE = 'test/kind@1.0.0';
const start = ['start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '100%', '--shadow'];

t.test('copies go to the candidate when the client has its answer, and count against nobody', async (t) => {
  const tenants = [{ id: 'web', keys: [keyDigest('secret')], limits: { requestsPerMinute: 2 } }];
  const { questions, gateways, candidateSays, rollout } = await startRolling(t, { more: { tenants } });
  const [gateway] = gateways;
  if (gateway === undefined) return;
  candidateSays(REFUSAL);
  await rollout(...start);
  await logged(gateway, 'rollout.changed');
  const headers = { authorization: 'Bearer secret' };
  for (const stream of [false, true]) {
    const first = questions().length;
    const left = await gateway.post({ ...opening(`stream ${stream}`), stream }, { headers });
    t.equal(left.status, 200, 'two a minute are allowed, and no copy is one');
    t.equal(left.headers.get('x-preamble-prompt'), STABLE);
    t.match(left.text, /Good day/, "the candidate's answer is nobody's");
    while (questions().length < first + 2) await sleep(5);
    t.strictSame(questions().slice(first).map(hasCandidate), [false, true], 'the copy comes second');
  }
  while (gateway.decisions().length < 4) await sleep(5);
  t.strictSame(
    gateway.decisions().map(({ variant, decision }) => `${variant} ${decision}`),
    ['stable complied', 'shadow refused', 'stable complied', 'shadow refused'],
  );
});

t.test('a candidate whose copies refuse is aborted, and nobody ever had an answer of it', async (t) => {
  const { gateways, candidateSays, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) return;
  candidateSays(REFUSAL);
  await rollout(...start);
  await logged(gateway, 'rollout.changed');
  for (let key = 0; key < 30; key++) t.equal(await askFor(gateway, key), STABLE);
  await logged(gateway, 'rollout.aborted');
  t.match(await rollout('status'), /on copies of 100% of conversations, aborted by a guardrail/);
});

t.test('copies that hang are few: the others are dropped and counted, and no client waits', async (t) => {
  const { questions, answerBy, gateways, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) return;
  await rollout(...start);
  await logged(gateway, 'rollout.changed');
  answerBy((response, received) => {
    if (!hasCandidate(received)) answer(response, received, '');
  });
  for (let key = 0; key < 20; key++) t.equal(await askFor(gateway, key), STABLE);
  t.equal(questions().filter(hasCandidate).length, 8);
  while (!(await rollout('status')).includes('12 copies were not made')) await sleep(50);
});
