import t from 'tap';
import { decidePlan, promptLabelOf } from '../../src/policy/decide-plan.ts';
import { everyone, type ModelPolicy, type PromptState } from '../../src/policy/snapshot.ts';

const stored = { dtype: 'F32', bytes: new Uint8Array(8) } as const;
const softPrompt = {
  label: 'a/b@1.0.0',
  digest: 'ab12',
  tokens: 1,
  hiddenSize: 2,
  values: new Float32Array(2),
  stored,
};
const prompt = { name: 'a/b', version: '1.0.0', position: 'system', softPrompt } as const;
const absent = { kind: 'unavailable', reference: 'a/b', reason: 'gone', text: null } as const;

const conversation = () => ({ key: 'Hi', opens: true });

const plan = (state: PromptState, onPromptUnavailable: ModelPolicy['onPromptUnavailable'] = 'refuse') =>
  decidePlan(
    {
      models: new Map([['m', { backend: 'embedded', prompt: state, onPromptUnavailable }]]),
      aliases: new Map(),
      tenants: new Map(),
    },
    { model: 'm', found: { entry: 'm', adapter: null }, tenant: { ...everyone, id: 'web' }, conversation },
  );

t.test('the prompt that is there is the plan, whatever should happen without', async (t) => {
  for (const instead of ['refuse', 'text', 'none'] as const) {
    const made = plan({ kind: 'available', prompt }, instead);
    t.strictSame(made, {
      model: 'm',
      entry: 'm',
      adapter: null,
      backend: 'embedded',
      tenant: 'web',
      mode: 'monitor',
      variant: 'stable',
      prompt,
      fallbackText: null,
    });
    t.equal(promptLabelOf(made), 'a/b@1.0.0');
  }
});

t.test('a model without a prompt has none', async (t) => {
  const made = plan({ kind: 'none' });
  t.match(made, { variant: 'off', prompt: null, fallbackText: null });
  t.equal(promptLabelOf(made), 'none');
});

t.test('a prompt that is not there: refuse, its text, or nothing, as the settings say', async (t) => {
  t.throws(() => plan(absent), { code: 'prompt_unavailable', message: /of m is not available/ });
  t.throws(() => plan({ ...absent, text: 'Be kind.' }), { code: 'prompt_unavailable' });
  t.match(plan(absent, 'none'), { variant: 'off', prompt: null, fallbackText: null });
  t.match(plan({ ...absent, text: 'Be kind.' }, 'none'), { fallbackText: null });
  const text = plan({ ...absent, text: 'Be kind.' }, 'text');
  t.match(text, { variant: 'off', prompt: null, fallbackText: 'Be kind.' });
  t.equal(promptLabelOf(text), 'none');
  t.throws(() => plan(absent, 'text'), { code: 'prompt_unavailable' }, 'there is no text to send');
});
