import t from 'tap';
import { findModel, namesFor } from '../../src/policy/find-model.ts';
import { everyone, type PolicySnapshot, type TenantPolicy } from '../../src/policy/snapshot.ts';

const model = { backend: 'vllm', prompt: { kind: 'none' }, onPromptUnavailable: 'refuse' } as const;
const snapshot: PolicySnapshot = {
  models: new Map([
    ['llama', model],
    ['org/qwen', model],
    ['qwen-large', model],
  ]),
  aliases: new Map([['gpt-4o', 'llama']]),
  tenants: new Map(),
};
const servers = new Map([['llama', { adapters: () => new Set(['llama-legal']) }]]);
const tenant = (...models: string[]): TenantPolicy => ({ ...everyone, models });
const names = (...models: string[]) => namesFor(snapshot, servers, tenant(...models));

t.test("a tenant's patterns", async (t) => {
  t.same(names('*'), ['llama', 'org/qwen', 'qwen-large', 'gpt-4o', 'llama-legal']);
  t.same(names('llama'), ['llama', 'gpt-4o'], 'an alias of a model that it may use; not the adapter');
  t.same(names('gpt-4o'), ['gpt-4o'], 'an alias alone');
  t.same(names('llama-*'), ['llama-legal'], 'an adapter is a model of its own');
  t.same(names('*qwen*'), ['org/qwen', 'qwen-large']);
  t.same(names('org/*', 'q*-large'), ['org/qwen', 'qwen-large']);
  t.same(names('qwen-large*large'), [], 'pieces do not overlap');
  t.same(names('q.*', '.*', 'Llama', 'llam', '[l]lama'), [], 'nothing but a * is a sign');
  t.same(names(), []);
});

t.test('what a tenant may not use reads as if it were not there', async (t) => {
  const refusal = (name: string, ...models: string[]) => {
    try {
      return findModel(name, snapshot, servers, tenant(...models));
    } catch (error) {
      return error;
    }
  };
  const hidden = refusal('llama', 'org/*');
  const absent = refusal('nowhere', 'org/*');
  t.match(hidden, { code: 'model_not_found', message: "The model 'llama' does not exist." });
  t.match(absent, { code: 'model_not_found', message: "The model 'nowhere' does not exist." });
  t.match(hidden, { action: 'There are: org/qwen.' });
  t.match(absent, { action: 'There are: org/qwen.' });
  t.match(refusal('gpt-4o', 'org/*'), { code: 'model_not_found' }, 'nor by an alias');
  t.match(refusal('llama-legal', 'llama'), { code: 'model_not_found' });
});
