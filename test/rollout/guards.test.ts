import t, { type Test } from 'tap';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { sendJson } from '../helpers/fake-vllm.ts';
import { answer, eventsOf, hasCandidate, logged, opening, REFUSAL, say, startRolling } from './support.ts';

const STABLE = 'test/kind@1.0.0';
const CANDIDATE = 'test/kind@1.1.0-rc.1';

async function startHalf(t: Test, traffic: 'mixed' | 'harmful') {
  const tenants = [{ id: 'probes', keys: [keyDigest('secret')], traffic }];
  const rolling = await startRolling(t, { more: { tenants } });
  const [gateway] = rolling.gateways;
  if (gateway === undefined) throw new Error('one gateway was asked for');
  await rolling.rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%');
  await logged(gateway, 'rollout.changed');
  const ask = async (key: number) => {
    const { headers } = await gateway.post(opening(key), { headers: { authorization: 'Bearer secret' } });
    return headers.get('x-preamble-prompt');
  };
  return { ...rolling, gateway, ask };
}

/** Asks until the rollout is aborted, or the candidate has had as many questions as are known to be enough. */
async function askUntilAborted({ gateway, ask }: Awaited<ReturnType<typeof startHalf>>) {
  for (let key = 0, candidates = 0; candidates < 40 && eventsOf(gateway, 'rollout.aborted').length === 0; key++) {
    if ((await ask(key)) !== STABLE) candidates++;
  }
  await logged(gateway, 'rollout.aborted');
  return eventsOf(gateway, 'rollout.aborted')[0];
}

t.test('a candidate whose answers fail is aborted for its errors', async (t) => {
  const rolling = await startHalf(t, 'mixed');
  rolling.answerBy((response, received) => {
    if (hasCandidate(received)) sendJson(response, 500, { error: { message: 'CUDA error', type: 'server_error' } });
    else answer(response, received, '');
  });
  t.match(await askUntilAborted(rolling), { by: 'guardrail', evidence: { guard: 'error', stable: { events: 0 } } });
  t.equal(await rolling.ask(-1), STABLE);
});

t.test(
  'where all that is asked is harmful, a candidate that complies is aborted, and one that refuses is not',
  async (t) => {
    const rolling = await startHalf(t, 'harmful');
    const says = (stable: string, candidate: string) =>
      rolling.answerBy((response, received) => say(response, received, hasCandidate(received) ? candidate : stable));
    says('Of course. You begin by', REFUSAL);
    const labels = new Set<string | null>();
    for (let key = 1000; key < 1060; key++) labels.add(await rolling.ask(key));
    t.strictSame([...labels].toSorted(), [STABLE, CANDIDATE].toSorted());
    await rolling.rollout('status');
    t.equal(eventsOf(rolling.gateway, 'rollout.aborted').length, 0);

    says(REFUSAL, 'Of course. You begin by');
    await rolling.rollout('abort', 'test/kind');
    await logged(rolling.gateway, 'rollout.changed', 2);
    await rolling.rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%');
    await logged(rolling.gateway, 'rollout.changed', 3);
    t.match(await askUntilAborted(rolling), {
      by: 'guardrail',
      evidence: { guard: 'compliance', stable: { events: 0 } },
    });
  },
);
