import t from 'tap';
import { decidePlan, promptLabelOf } from '../../src/policy/decide-plan.ts';
import { everyone, type ModelPolicy, type PromptState, type TenantPolicy } from '../../src/policy/snapshot.ts';

const available = (name: string): PromptState => ({
  kind: 'available',
  prompt: {
    name,
    version: '1.0.0',
    position: 'system',
    softPrompt: {
      label: `${name}@1.0.0`,
      digest: '00',
      tokens: 1,
      hiddenSize: 2,
      values: new Float32Array(2),
      stored: { dtype: 'F32', bytes: new Uint8Array(8) },
    },
  },
});
const gone = (text: string | null): PromptState => ({ kind: 'unavailable', reference: 'away', reason: 'gone', text });
const none: PromptState = { kind: 'none' };

function plan(model: Partial<ModelPolicy>, tenant: Partial<TenantPolicy> = {}) {
  const policy: ModelPolicy = { backend: 'vllm', prompt: none, onPromptUnavailable: 'refuse', ...model };
  const snapshot = { models: new Map([['llama', policy]]), aliases: new Map(), tenants: new Map() };
  const found = { entry: 'llama', adapter: null };
  const conversation = () => ({ key: 'Hi', opens: true });
  return decidePlan(snapshot, { model: 'gpt-4o', found, tenant: { ...everyone, ...tenant }, conversation });
}

t.test("the model's prompt, or the tenant's in its place", async (t) => {
  const own = plan({ prompt: available('careful') });
  t.match(own, {
    model: 'gpt-4o',
    entry: 'llama',
    backend: 'vllm',
    variant: 'stable',
    mode: 'monitor',
    tenant: 'default',
  });
  t.equal(promptLabelOf(own), 'careful@1.0.0');
  const tenant = { id: 'web', mode: 'enforce', prompts: new Map([['llama', available('firm')]]) } as const;
  const another = plan({ prompt: available('careful') }, tenant);
  t.match(another, { mode: 'enforce', tenant: 'web', variant: 'stable' });
  t.equal(promptLabelOf(another), 'firm@1.0.0');
  const without = plan({ prompt: available('careful') }, { prompts: new Map([['llama', none]]) });
  t.match(without, { variant: 'off', prompt: null, fallbackText: null });
  t.equal(promptLabelOf(without), 'none');
  const elsewhere = plan({ prompt: available('careful') }, { prompts: new Map([['other', none]]) });
  t.equal(promptLabelOf(elsewhere), 'careful@1.0.0', 'a prompt for another model changes nothing here');
});

t.test("without the prompt: what the model says, for its own and for the tenant's", async (t) => {
  const tenant = (text: string | null) => ({ prompts: new Map([['llama', gone(text)]]) });
  for (const run of [
    (model: Partial<ModelPolicy>, text: string | null) => plan({ ...model, prompt: gone(text) }),
    (model: Partial<ModelPolicy>, text: string | null) =>
      plan({ ...model, prompt: available('careful') }, tenant(text)),
  ]) {
    t.throws(() => run({ onPromptUnavailable: 'refuse' }, 'Be careful.'), { code: 'prompt_unavailable', status: 503 });
    t.match(run({ onPromptUnavailable: 'text' }, 'Be careful.'), { prompt: null, fallbackText: 'Be careful.' });
    t.throws(() => run({ onPromptUnavailable: 'text' }, null), { code: 'prompt_unavailable' });
    t.match(run({ onPromptUnavailable: 'none' }, 'Be careful.'), { prompt: null, fallbackText: null, variant: 'off' });
  }
});
