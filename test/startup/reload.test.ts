import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import type { Backend } from '../../src/backends/backend.ts';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { promptFromText } from '../../src/prompts/from-text.ts';
import { postJson, until } from '../helpers/build.ts';
import { type Live, live } from '../helpers/live.ts';
import { clientOf } from '../helpers/tenants.ts';

interface Settings {
  prompt?: string;
  slots?: number;
  more?: string;
  model?: string;
}

const yaml = ({ prompt = 'null', slots = 2, more = '', model = './model' }: Settings = {}) => `
models:
  tiny:
    prompt: ${prompt}
    onPromptUnavailable: refuse
    backend: { kind: embedded, model: ${model}, weights: float32, threads: 1, slots: ${slots} }
promptDirectories: [./prompts]
${more}`;

const chat = { model: 'tiny', messages: [{ role: 'user' as const, content: 'Hi' }], max_tokens: 2 };
/** Goes on until it is ended. */
const endless = { ...chat, max_tokens: 60_000, ignore_eos: true, stream: true as const };

const backendOf = ({ gateway }: Live): Backend => {
  const backend = gateway.current().backends.get('tiny');
  if (backend === undefined) throw new Error('there is no backend');
  return backend;
};

/** Counts how often it is closed. */
const closings = (t: Test, backend: Backend): (() => number) => {
  const { calls } = t.capture(backend, 'close', backend.close);
  return () => calls.length;
};

async function addPrompt({ directory }: Live, version: string, content: string): Promise<void> {
  const made = await promptFromText(`${directory}/model`, { name: 'kind', version, text: content, position: 'system' });
  await writePrompt(`${directory}/prompts`, made.content, made.tensor);
}

const promptOf = async (origin: string) =>
  (await postJson(`${origin}/v1/chat/completions`, chat)).headers.get('x-preamble-prompt');

t.test('a backend whose settings are the same is kept', async (t) => {
  const gateway = await live(t, yaml());
  const before = backendOf(gateway);
  const closed = closings(t, before);
  await gateway.gateway.reload(await gateway.config(yaml({ more: 'log: { content: true }' })));
  t.equal(backendOf(gateway), before);
  t.match(gateway.gateway.current(), { generation: 2, logContent: true });
  t.equal(closed(), 0);
});

t.test(
  'one that is set up differently answers new requests once it is ready; the old one ends with its last request',
  async (t) => {
    const gateway = await live(t, yaml());
    const { origin } = gateway;
    const before = backendOf(gateway);
    const closed = closings(t, before);
    const stream = await clientOf(origin, 'none').chat.completions.create(endless);
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();

    await gateway.gateway.reload(await gateway.config(yaml({ slots: 3 })));
    const after = backendOf(gateway);
    t.not(after, before);
    t.equal((await postJson(`${origin}/v1/chat/completions`, chat)).status, 200);
    for (let i = 0; i < 50; i++) t.notOk((await chunks.next()).done);
    t.equal(closed(), 0, 'the stream goes on, on the old one');

    stream.controller.abort();
    await until(() => closed() === 1);
    t.equal((await postJson(`${origin}/v1/chat/completions`, chat)).status, 200);
  },
);

t.test('a backend that can not be served changes nothing', async (t) => {
  const gateway = await live(t, yaml());
  const before = gateway.gateway.current();
  const broken = await gateway.config(yaml({ model: './absent', more: 'log: { content: true }' }));
  await t.rejects(gateway.gateway.reload(broken), { code: 'file_unreadable' });
  t.equal(gateway.gateway.current(), before);
  t.equal((await postJson(`${gateway.origin}/v1/chat/completions`, chat)).status, 200);
});

t.test('a backend that is waited for keeps no later settings waiting', async (t) => {
  const gateway = await live(t, yaml());
  const server = '{ prompt: null, onPromptUnavailable: none, backend: { kind: vllm, urls: ["http://127.0.0.1:9"] } }';
  const absent = gateway.gateway.reload(
    await gateway.config(yaml({}).replace('models:', `models:\n  away: ${server}`)),
  );
  const refused = t.rejects(absent, { code: 'cancelled' });
  await until(() => gateway.logs.some((line) => line['event'] === 'upstream.waiting'));
  t.equal(gateway.gateway.current().generation, 1);
  await gateway.gateway.reload(await gateway.config(yaml({ more: 'log: { content: true }' })));
  t.match(gateway.gateway.current(), { generation: 2, logContent: true });
  await refused;
});

t.test('a request keeps what held when it came', async (t) => {
  const key = 'pmb_old';
  const tenant = (id: string) => `tenants: [{ id: ${id}, keys: ["${keyDigest(key)}"] }]`;
  const gateway = await live(t, yaml({ more: tenant('before') }));
  await addPrompt(gateway, '1.0.0', 'Be kind.');
  const { port } = new URL(gateway.origin);
  const headers = { authorization: `Bearer ${key}` };
  const body = JSON.stringify(chat);

  const early = request({
    port,
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', expect: '100-continue' },
  });
  early.flushHeaders();
  await once(early, 'continue');
  const withdrawn = yaml({ prompt: 'kind', more: tenant('after').replace(keyDigest(key), keyDigest('pmb_new')) });
  await gateway.gateway.reload(await gateway.config(withdrawn));

  const answered = new Promise<[status: number | undefined, prompt: unknown, text: string]>((resolve) => {
    early.on('response', async (response) => {
      resolve([response.statusCode, response.headers['x-preamble-prompt'], await text(response)]);
    });
  });
  early.end(body);
  const [status, prompt] = await answered;
  t.equal(status, 200);
  t.equal(prompt, 'none');
  t.match(
    gateway.logs.find((line) => line['event'] === 'refusal.decision'),
    { tenant: 'before', prompt: null },
  );

  t.equal((await postJson(`${gateway.origin}/v1/chat/completions`, chat, headers)).status, 401, 'the key is withdrawn');
  const answer = await postJson(`${gateway.origin}/v1/chat/completions`, chat, { authorization: 'Bearer pmb_new' });
  t.equal(answer.headers.get('x-preamble-prompt'), 'kind@1.0.0');
});

t.test('a name of a prompt means its newest version once prompts are looked up anew', async (t) => {
  const gateway = await live(t, yaml());
  await addPrompt(gateway, '1.0.0', 'Be kind.');
  await gateway.gateway.reload(await gateway.config(yaml({ prompt: 'kind' })));
  const backend = backendOf(gateway);
  t.equal(await promptOf(gateway.origin), 'kind@1.0.0');
  await addPrompt(gateway, '1.1.0', 'Be very kind.');
  t.equal(await promptOf(gateway.origin), 'kind@1.0.0');
  await Promise.all([gateway.gateway.refreshPrompts(), gateway.gateway.refreshPrompts()]);
  t.equal(await promptOf(gateway.origin), 'kind@1.1.0');
  t.equal(backendOf(gateway), backend);
});

t.test('a prompt that does not fit its model changes nothing', async (t) => {
  const gateway = await live(t, yaml());
  const before = gateway.gateway.current();
  await t.rejects(gateway.gateway.reload(await gateway.config(yaml({ prompt: 'smollm2-135m/careful' }))), {
    code: 'prompt_mismatch',
  });
  await t.rejects(gateway.gateway.reload(await gateway.config(yaml({ prompt: 'nowhere' }))), {
    code: 'prompt_not_found',
  });
  t.equal(gateway.gateway.current(), before);
});

t.test('what can not change while the gateway runs is said, and stays', async (t) => {
  const gateway = await live(t, yaml());
  const more = `listen: { port: 9999 }
admin: { port: 9998 }
limits: { bodyBytes: 2048 }
redis: { url: "redis://127.0.0.1:1", onUnavailable: local }
rollouts: { stateFile: elsewhere.json }
passThrough: [/v1/embeddings]`;
  await gateway.gateway.reload(await gateway.config(yaml({ more })));
  const said = gateway.logs.find((line) => line['event'] === 'config.fixed');
  t.same(said?.['settings'], ['listen', 'admin', 'redis', 'rollouts', 'limits', 'passThrough']);
  t.equal(gateway.gateway.current().generation, 2, 'the rest comes into effect');
  const large = { ...chat, user: 'x'.repeat(4096) };
  t.equal((await postJson(`${gateway.origin}/v1/chat/completions`, large)).status, 200);
});

t.test(
  'keys can not be dropped where the gateway listens for everyone, even if the file says that it does not',
  async (t) => {
    const tenants = `tenants: [{ id: web, keys: ["${keyDigest('pmb_key')}"] }]`;
    const gateway = await live(t, yaml({ more: `listen: { host: 0.0.0.0 }\n${tenants}` }));
    const open = await gateway.config(yaml());
    t.equal(open.listen.host, '127.0.0.1');
    await t.rejects(gateway.gateway.reload(open), {
      code: 'config_invalid',
      message: /0\.0\.0\.0 would open the gateway/,
    });
    t.equal((await postJson(`${gateway.origin}/v1/chat/completions`, chat)).status, 401);
  },
);
