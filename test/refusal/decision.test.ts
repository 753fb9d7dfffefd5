import t from 'tap';
import type { Plan } from '../../src/policy/plan.ts';
import { type ChoiceOutcome, type Decision, decisionRecord } from '../../src/refusal/decision.ts';

const softPrompt = {
  label: 'm/dro@1.2.0',
  digest: 'ab12',
  tokens: 1,
  hiddenSize: 2,
  values: new Float32Array(2),
  stored: { dtype: 'F32', bytes: new Uint8Array(8) },
} as const;
const plan: Plan = {
  model: 'smollm2',
  entry: 'smollm2',
  adapter: null,
  backend: 'embedded',
  tenant: 'web',
  mode: 'monitor',
  variant: 'canary',
  fallbackText: null,
  prompt: { name: 'm/dro', version: '1.2.0', position: 'system', softPrompt },
};
const decision: Decision = { decision: 'refused', detector: 'phrases-en@1.0.0', rule: 'en/decline', atChar: 7 };
const outcome: ChoiceOutcome = {
  requestId: 'req-1',
  choice: 0,
  stream: true,
  finishReason: 'stop',
  promptTokens: 12,
  completionTokens: 34,
  firstTokenMs: 56.7,
  totalMs: 890.1,
  gatewayMs: 2.3,
  guard: { name: 'http', action: 'replaced', reason: 'violence' },
};

t.test('the record has the fields of the decision log, in its order', async (t) => {
  const record = decisionRecord(plan, decision, outcome);
  t.equal(
    Object.keys(record).join(' '),
    'event requestId tenant model backend prompt variant mode choice decision detector rule atChar stream finishReason ' +
      'promptTokens completionTokens firstTokenMs totalMs gatewayMs guard',
  );
  t.same(record, {
    event: 'refusal.decision',
    ...outcome,
    ...decision,
    tenant: 'web',
    model: 'smollm2',
    backend: 'embedded',
    prompt: { name: 'm/dro', version: '1.2.0', digest: 'ab12' },
    variant: 'canary',
    mode: 'monitor',
  });
});

t.test('without a prompt the record says null', async (t) => {
  t.equal(decisionRecord({ ...plan, variant: 'off', prompt: null }, decision, outcome).prompt, null);
});

t.test('nothing that hangs on the objects gets into the log', async (t) => {
  const careless = { ...outcome, messages: [{ content: 'secret question' }], text: 'secret answer' };
  t.notMatch(JSON.stringify(decisionRecord(plan, { ...decision, ...{ excerpt: 'secret' } }, careless)), 'secret');
});
