import t from 'tap';
import { model, open, restOf } from '../helpers/build-proxy.ts';
import { answer, askFor, eventsOf, hasCandidate, logged, opening, REFUSAL, startRolling } from './support.ts';

const STABLE = 'test/kind@1.0.0';
const CANDIDATE = 'test/kind@1.1.0-rc.1';

/** A conversation that has the candidate. */
async function findCanary(ask: (key: string) => Promise<string>, prefix: string): Promise<string> {
  for (let index = 0; ; index++) {
    const key = `${prefix} ${index}`;
    if ((await ask(key)) === CANDIDATE) return key;
  }
}

t.test('a share of conversations has the candidate, in each of its turns; the rest has what is stable', async (t) => {
  const { gateways, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) return;
  t.equal(await askFor(gateway, 'before'), STABLE);
  const said = await rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%');
  t.equal(said, 'Started: test/kind@1.1.0-rc.1 for 50% of conversations, beside 1.0.0\n');
  await logged(gateway, 'rollout.changed');

  const labels = new Map<number, string>();
  for (let key = 0; key < 40; key++) labels.set(key, await askFor(gateway, key));
  const candidates = [...labels.values()].filter((label) => label === CANDIDATE).length;
  t.ok(candidates > 5 && candidates < 35, `${candidates} of 40`);
  t.strictSame([...new Set(labels.values())].toSorted(), [STABLE, CANDIDATE].toSorted());
  for (const [key, label] of labels) {
    const { messages } = opening(key);
    const turns = [
      { role: 'assistant', content: 'Yes?' },
      { role: 'user', content: 'Go on.' },
    ];
    const { headers } = await gateway.post({ model, messages: [...messages, ...turns] });
    t.equal(headers.get('x-preamble-prompt'), label, 'the second turn has what the first had');
  }
  const variants = gateway.decisions().map(({ variant, prompt }) => `${variant} ${JSON.stringify(prompt)}`);
  t.ok(variants.some((line) => line.startsWith('canary') && line.includes('1.1.0-rc.1')));
  t.ok(
    variants.every((line) => line.startsWith('canary') === line.includes('1.1.0-rc.1')),
    'the log says which',
  );
});

t.test('promote and abort: requests under way keep their version, those that come later have the other', async (t) => {
  const { fake, gateways, answerBy, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) return;
  const waiting: (() => void)[] = [];
  for (const how of ['abort', 'promote'] as const) {
    await rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%');
    await logged(gateway, 'rollout.changed', how === 'abort' ? 1 : 3);
    const key = await findCanary((each) => askFor(gateway, each), how);
    answerBy((response, received) => {
      waiting.push(() => answer(response, received, 'Good day.'));
    });
    const arrived = fake.next();
    const underWay = await open(gateway.origin, opening(key));
    t.ok(hasCandidate(await arrived));
    t.match(await rollout(how, 'test/kind'), how === 'abort' ? /^Aborted: .* is 1\.0\.0 for all/ : /^Promoted/);
    await logged(gateway, 'rollout.changed', how === 'abort' ? 2 : 4);
    answerBy((response, received) => answer(response, received, 'Good day.'));
    const now = how === 'abort' ? STABLE : CANDIDATE;
    for (const each of [key, 'a', 'b', 'c', 'd', 'e']) t.equal(await askFor(gateway, each), now);
    waiting.shift()?.();
    const response = await underWay.answer;
    t.equal(response.headers['x-preamble-prompt'], CANDIDATE);
    t.match(await restOf(response), /Good day/);
  }
  t.match(gateway.decisions().at(-1), { variant: 'canary', prompt: { version: '1.1.0-rc.1' } });
});

t.test('a candidate that refuses is aborted by itself, within few answers, and the log says for what', async (t) => {
  const { gateways, candidateSays, rollout } = await startRolling(t);
  const [gateway] = gateways;
  if (gateway === undefined) return;
  candidateSays(REFUSAL);
  await rollout('start', 'test/kind', '--candidate', '1.1.0-rc.1', '--share', '50%');
  await logged(gateway, 'rollout.changed');
  // 30 answers of it are known to be enough where all refuse and none did before: docs/rollouts.md.
  let candidates = 0;
  for (let key = 0; candidates < 30 && eventsOf(gateway, 'rollout.aborted').length === 0; key++) {
    if ((await askFor(gateway, key)) === CANDIDATE) candidates++;
  }
  await logged(gateway, 'rollout.aborted');
  const [line] = eventsOf(gateway, 'rollout.aborted');
  t.match(line, {
    level: 50,
    prompt: 'test/kind',
    candidate: '1.1.0-rc.1',
    by: 'guardrail',
    evidence: { guard: 'refusal', stable: { events: 0 }, limit: 20 },
  });
  for (let key = 0; key < 20; key++) t.equal(await askFor(gateway, key), STABLE);
  const status = await rollout('status', 'test/kind');
  t.match(status, /aborted by a guardrail/);
  t.match(status, /aborted for refused: 100% of \d+ against 0% of \d+, evidence/);
  t.match(JSON.parse(await (await fetch(`${gateway.admin}/rollouts`)).text()), {
    rollouts: [{ rollout: { status: 'aborted' }, verdict: { guards: [{ guard: 'refusal' }] } }],
  });
});
