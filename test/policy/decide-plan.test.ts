import t from 'tap';
import { decidePlan, type ModelPolicy, type PromptState, promptLabelOf } from '../../src/policy/decide-plan.ts';

const softPrompt = { label: 'a/b@1.0.0', digest: 'ab12', tokens: 1, hiddenSize: 2, values: new Float32Array(2) };
const prompt = { name: 'a/b', version: '1.0.0', position: 'system', softPrompt } as const;
const absent = { kind: 'unavailable', reference: 'a/b', reason: 'gone', text: null } as const;

const plan = (state: PromptState, onPromptUnavailable: ModelPolicy['onPromptUnavailable'] = 'refuse') =>
  decidePlan(
    { models: new Map([['m', { backend: 'embedded', prompt: state, onPromptUnavailable }]]) },
    { model: 'm' },
    'web',
  );

t.test('the prompt that is there is the plan, whatever should happen without', async (t) => {
  for (const instead of ['refuse', 'text', 'none'] as const) {
    const made = plan({ kind: 'available', prompt }, instead);
    t.strictSame(made, {
      model: 'm',
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

t.test('a model that is not served is named with those that are, at no more than a line', async (t) => {
  const unknown = (model: string) => () => decidePlan({ models: new Map() }, { model }, 'web');
  t.throws(unknown('x'), { code: 'model_not_found', param: 'model' });
  t.throws(unknown('x'.repeat(10_000)), { message: /^.{1,200}$/ });
  t.throws(unknown('__proto__'), { code: 'model_not_found' });
});
