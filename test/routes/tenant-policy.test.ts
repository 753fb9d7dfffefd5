import { NotFoundError } from 'openai';
import t from 'tap';
import type { PromptState, TenantPolicy } from '../../src/policy/snapshot.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { shippedPromptDirectory } from '../../src/prompts/shipped.ts';
import { resolvePrompt } from '../../src/startup/resolve-prompt.ts';
import { build, modelName, postJson } from '../helpers/build.ts';
import { scriptedEngine } from '../helpers/scripted-engine.ts';
import { clientOf, tenantsByKey } from '../helpers/tenants.ts';

const messages = [{ role: 'user' as const, content: 'Hello.' }];

const registry = await openPromptRegistry([shippedPromptDirectory]);
const promptState = async (reference: string | null): Promise<PromptState> =>
  (await resolvePrompt(reference, 'refuse', registry)).state;

const prompts = async (reference: string | null) => new Map([[modelName, await promptState(reference)]]);

t.test('each tenant has its own models', async (t) => {
  const tenants = tenantsByKey({ all: {}, one: { models: ['org/*'] }, none: { models: ['llama'] } });
  const models = ['org/small', 'org/large', 'secret-project'];
  const { origin } = await build(t, { engine: scriptedEngine(), tenants, models });
  const listed = async (key: string) => (await clientOf(origin, key).models.list()).data.map(({ id }) => id);
  t.same(await listed('all'), [modelName, ...models]);
  t.same(await listed('one'), ['org/small', 'org/large']);
  t.same(await listed('none'), []);

  const client = clientOf(origin, 'one');
  t.equal((await client.chat.completions.create({ model: 'org/small', messages })).model, 'org/small');
  t.equal((await client.models.retrieve('org/large')).id, 'org/large');

  const refusal = async (model: string) => {
    const error = await client.chat.completions.create({ model, messages }).catch((thrown: unknown) => thrown);
    t.ok(error instanceof NotFoundError);
    const shown = await client.models.retrieve(model).catch((thrown: unknown) => thrown);
    t.ok(shown instanceof NotFoundError);
    t.match(error, { code: 'model_not_found', param: 'model' });
    return error instanceof NotFoundError && shown instanceof NotFoundError ? [error.message, shown.message] : [];
  };
  const hidden = await refusal('secret-project');
  const absent = await refusal('nowhere-project');
  t.same(
    hidden.map((message) => message.replaceAll('secret', 'nowhere')),
    absent,
    'one that is hidden reads like one that is not there',
  );
});

t.test('each tenant has its own prompt and mode', async (t) => {
  const engine = scriptedEngine();
  const tenants = tenantsByKey({
    own: {},
    pinned: { prompts: await prompts('smollm2-135m/brief@1.0.0'), mode: 'enforce' },
    newest: { prompts: await prompts('smollm2-135m/firm') },
    without: { prompts: await prompts(null) },
  });
  const policy = { prompt: await promptState('smollm2-135m/careful') };
  const { origin, decisions } = await build(t, { engine, tenants, policy });
  const cases: [key: string, label: string, mode: string][] = [
    ['own', 'smollm2-135m/careful@1.0.0', 'monitor'],
    ['pinned', 'smollm2-135m/brief@1.0.0', 'enforce'],
    ['newest', 'smollm2-135m/firm@1.0.0', 'monitor'],
    ['without', 'none', 'monitor'],
  ];
  for (const [key, label, mode] of cases) {
    const call = clientOf(origin, key).chat.completions.create({ model: modelName, messages });
    const { response } = await call.withResponse();
    t.equal(response.headers.get('x-preamble-prompt'), label);
    const said = engine.requests
      .at(-1)
      ?.prompt.flatMap((part) => ('softPrompt' in part ? [part.softPrompt.label] : []));
    t.same(said, label === 'none' ? [] : [label], 'what the model got');
    t.match(decisions().at(-1), { tenant: key, mode, variant: label === 'none' ? 'off' : 'stable' });
  }
});

t.test('a caller can not override its policy', async (t) => {
  const engine = scriptedEngine();
  const web: Partial<TenantPolicy> = { models: [modelName], prompts: await prompts('smollm2-135m/firm') };
  const tenants = tenantsByKey({ web, boss: { prompts: await prompts(null), mode: 'enforce', logContent: true } });
  const { origin, decisions, logs } = await build(t, { engine, tenants, models: ['another'] });
  const url = `${origin}/v1/chat/completions`;
  const authorization = 'Bearer web';
  const wishes = ['tenant', 'prompt', 'mode', 'variant', 'model', 'log-content', 'policy', 'backend', 'limits', 'key'];
  const values = ['boss', 'none', 'null', 'enforce', 'off', 'another', 'true', '999999'];
  const headers = (value: string) =>
    Object.fromEntries([
      ...wishes.map((wish) => [`x-preamble-${wish}`, value]),
      ...[
        'x-tenant',
        'x-tenant-id',
        'openai-organization',
        'openai-project',
        'x-forwarded-user',
        'x-api-key',
        'x-user',
      ].map((name) => [name, value]),
    ]);
  const fields = (value: unknown) => ({
    ...Object.fromEntries(wishes.filter((wish) => wish !== 'model').map((wish) => [wish, value])),
    ...Object.fromEntries(wishes.map((wish) => [`x-preamble-${wish}`, value])),
    preamble: Object.fromEntries(wishes.map((wish) => [wish, value])),
    metadata: Object.fromEntries(wishes.map((wish) => [wish, String(value)])),
    user: 'boss',
    soft_prompt: value,
    log_content: value,
    onPromptUnavailable: value,
  });
  for (const value of [...values, null, false]) {
    const body = { model: modelName, messages, ...fields(value) };
    const response = await postJson(url, body, { authorization, ...headers(String(value)) });
    t.equal(response.status, 200, String(value));
    t.equal(response.headers.get('x-preamble-prompt'), 'smollm2-135m/firm@1.0.0');
    const expected = { tenant: 'web', mode: 'monitor', variant: 'stable', model: modelName };
    t.match(decisions().at(-1), { ...expected, prompt: { name: 'smollm2-135m/firm' } });
    const said = engine.requests
      .at(-1)
      ?.prompt.flatMap((part) => ('softPrompt' in part ? [part.softPrompt.label] : []));
    t.same(said, ['smollm2-135m/firm@1.0.0']);
  }
  t.equal(decisions().length, values.length + 2);
  t.notOk(logs.some((line) => line['event'] === 'content'));
  for (const path of [`${url}?model=another&prompt=none&tenant=boss`, `${url}?key=boss`]) {
    const response = await postJson(path, { model: modelName, messages }, { authorization });
    t.equal(response.headers.get('x-preamble-prompt'), 'smollm2-135m/firm@1.0.0');
  }
  t.equal((await postJson(url, { model: 'another', messages }, { authorization, ...headers('boss') })).status, 404);
});

t.test('contents are logged for the tenant that says so, and for no other', async (t) => {
  const tenants = tenantsByKey({ open: { logContent: true }, closed: {} });
  const { origin, logs } = await build(t, { engine: scriptedEngine(), tenants });
  const ask = (key: string, content: string) =>
    clientOf(origin, key).chat.completions.create({ model: modelName, messages: [{ role: 'user', content }] });
  await ask('closed', 'A secret of the closed tenant.');
  t.notMatch(JSON.stringify(logs), /secret|Good day/);
  await ask('open', 'Something that may be seen.');
  const contents = logs.filter((line) => line['event'] === 'content');
  t.match(contents, [{ answer: 'Good day to you.', request: [{ content: 'Something that may be seen.' }] }]);
});
