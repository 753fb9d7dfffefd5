import t from 'tap';
import { findModel, namesFor } from '../../src/policy/find-model.ts';
import { everyone, type PolicySnapshot, type TenantPolicy } from '../../src/policy/snapshot.ts';

const policy = { backend: 'vllm', prompt: { kind: 'none' }, onPromptUnavailable: 'refuse' } as const;
const snapshot: PolicySnapshot = {
  models: new Map([
    ['llama', policy],
    ['qwen/small', policy],
  ]),
  aliases: new Map([['gpt-4o', 'llama']]),
  tenants: new Map(),
};
const servers = new Map([['llama', { adapters: () => new Set(['llama-sql']) }]]);
const find = (name: string, tenant: TenantPolicy = everyone) => findModel(name, snapshot, servers, tenant);
const only = (...models: string[]): TenantPolicy => ({ ...everyone, models });

t.test('a name, an alias and an adapter', async (t) => {
  t.strictSame(find('llama'), { entry: 'llama', adapter: null });
  t.strictSame(find('gpt-4o'), { entry: 'llama', adapter: null });
  t.strictSame(find('llama-sql'), { entry: 'llama', adapter: 'llama-sql' });
});

t.test('a model that is not served is named with those that are, at no more than a line', async (t) => {
  t.throws(() => find('x'), {
    code: 'model_not_found',
    param: 'model',
    action: /llama, qwen\/small, gpt-4o, llama-sql/,
  });
  t.throws(() => find('x'.repeat(10_000)), { message: /^.{1,200}$/ });
  t.throws(() => find('__proto__'), { code: 'model_not_found' });
});

t.test('a tenant finds what its patterns name, and hears of nothing else', async (t) => {
  t.strictSame(find('gpt-4o', only('llama')), { entry: 'llama', adapter: null }, 'any name of a model it may use');
  t.throws(() => find('llama-sql', only('llama')), { code: 'model_not_found' }, 'an adapter is a model of its own');
  t.strictSame(find('llama-sql', only('llama*')).adapter, 'llama-sql');
  t.strictSame(find('qwen/small', only('*/small')).entry, 'qwen/small');
  t.throws(() => find('llama', only('qwen*')), { code: 'model_not_found', action: 'There are: qwen/small.' });
  t.throws(() => find('llama', only()), { code: 'model_not_found', action: 'This key may use none.' });
  t.strictSame(namesFor(snapshot, servers, only('l*ma', 'gpt-4o')), ['llama', 'gpt-4o']);
  t.strictSame(namesFor(snapshot, servers, everyone), ['llama', 'qwen/small', 'gpt-4o', 'llama-sql']);
  t.throws(() => find('llama', only('llama*llama')), { code: 'model_not_found' }, 'the ends may not overlap');
});
