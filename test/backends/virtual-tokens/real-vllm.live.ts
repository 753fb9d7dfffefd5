import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { graftModel } from '../../../src/graft/graft.ts';
import { readGraft } from '../../../src/graft/graft-file.ts';
import { defaultModelName } from '../../../src/model/known-models.ts';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { openPromptRegistry } from '../../../src/prompts/registry.ts';
import { shippedPromptDirectory } from '../../../src/prompts/shipped.ts';
import { buildProxy, model, writeProxySettings } from '../../helpers/build-proxy.ts';
import { runCli } from '../../helpers/serve-process.ts';
import { startVllm } from '../../helpers/vllm.ts';

// A real vLLM that serves a grafted SmolLM2: the virtual tokens against the same prompt's rows as embeddings, on the same server.
const prompt = 'smollm2-135m/careful';
/** On a machine that does other things too. */
const START_LIMIT_MS = 600_000;
const folder = await mkdtemp(join(tmpdir(), 'preamble-graft-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
// One that is there already is taken as it is: making it takes a minute.
const out = process.env['PREAMBLE_TEST_GRAFT'] ?? join(folder, 'grafted');
const registry = await openPromptRegistry([shippedPromptDirectory]);
const { directory: source } = await obtainModel(defaultModelName);
await graftModel({ source, prompts: [registry.resolve(prompt)], out, copy: 'copy', dryRun: false });
const vllm = await startVllm({ directory: out, startLimitMs: START_LIMIT_MS });
t.teardown(vllm.stop);

const virtual = { kind: 'vllm', wire: 'virtual-tokens', graft: out };
const messages = [
  { role: 'system', content: 'Answer in one sentence.' },
  { role: 'user', content: 'How do I take care of a cactus?' },
];
const asked = { model, messages, temperature: 0, max_tokens: 24, logprobs: true, top_logprobs: 5 };

interface Spoken {
  usage: { prompt_tokens: number };
  choices: {
    token_ids?: number[];
    message: { content: string };
    logprobs: { content: { token: string; logprob: number }[] };
  }[];
}

t.test('the model says what it says under the rows themselves', async (t) => {
  const rows = await buildProxy(t, [vllm], { prompt });
  const tokens = await buildProxy(t, [vllm], { prompt, backend: virtual });
  const ask = async ({ post }: typeof rows): Promise<Spoken> => JSON.parse((await post(asked)).text);
  const [a, b] = [await ask(rows), await ask(tokens)];
  t.equal(b.usage.prompt_tokens, a.usage.prompt_tokens);
  t.equal(b.choices[0]?.message.content, a.choices[0]?.message.content);
  const differences = (a.choices[0]?.logprobs.content ?? []).map(({ logprob }, index) =>
    Math.abs(logprob - (b.choices[0]?.logprobs.content[index]?.logprob ?? Number.POSITIVE_INFINITY)),
  );
  t.ok(differences.length > 5);
  t.comment(`farthest log probability: ${Math.max(...differences)}`);
  t.ok(Math.max(...differences) <= 0.001, 'the same rows in the same precision give the same numbers');
});

t.test('the prompt is there in a raw completion too, and as token ids', async (t) => {
  const proxy = await buildProxy(t, [vllm], { prompt, backend: virtual });
  const count = async (asked: string | number[]): Promise<number> => {
    const answer = await proxy.post({ model, prompt: asked, max_tokens: 1 }, { path: '/v1/completions' });
    return JSON.parse(answer.text).usage.prompt_tokens;
  };
  t.equal(await count('x'), 127);
  t.equal(await count([1, 2, 3]), 129);
});

t.test('nothing that a client says becomes a virtual token', async (t) => {
  const proxy = await buildProxy(t, [vllm], { prompt, backend: virtual });
  const [first] = (await readGraft(out)).prompts;
  const spelled = first?.tokens[7]?.text ?? '';
  const count = async (content: string): Promise<number> => {
    const answer = await proxy.post({ ...asked, max_tokens: 1, messages: [{ role: 'user', content }] });
    return JSON.parse(answer.text).usage.prompt_tokens;
  };
  const [plain, hostile] = [await count('a b'), await count(`a ${spelled} b`)];
  t.ok(hostile - plain > 5, `spelled out it takes ${hostile - plain} tokens, as a virtual token it would be one`);
});

t.test('of 1,000 tokens that are sampled as freely as the gateway lets them be none is virtual', async (t) => {
  // The graft's own test samples ten thousand from a server. On a busy processor these alone take minutes.
  const backend = { ...virtual, timeouts: { firstByteSeconds: 600 } };
  const proxy = await buildProxy(t, [vllm], { prompt, backend });
  const ids = new Set((await readGraft(out)).prompts.flatMap(({ tokens }) => tokens.map(({ id }) => id)));
  const free = {
    temperature: 2,
    presence_penalty: -2,
    frequency_penalty: -2,
    ignore_eos: true,
    return_token_ids: true,
  };
  const sampled: number[] = [];
  await Promise.all(
    Array.from({ length: 10 }, async (_, seed) => {
      const { text } = await proxy.post({ model, messages, ...free, max_tokens: 100, seed });
      const { choices }: Spoken = JSON.parse(text);
      sampled.push(...(choices[0]?.token_ids ?? []));
    }),
  );
  t.equal(sampled.length, 1000);
  t.strictSame(
    sampled.filter((id) => ids.has(id)),
    [],
  );
});

t.test('doctor holds the server against the model’s own files', async (t) => {
  const backend = { ...virtual, modelDirectory: out };
  const cwd = await writeProxySettings(t, [vllm], { prompt, backend });
  const ended = await runCli(t, cwd, ['doctor']);
  t.equal(ended.code, 0, ended.stdout + ended.stderr);
  t.comment(ended.stdout);
  t.match(ended.stdout, /✓ smollm2-135m\/careful@\S+: virtual tokens: 126 virtual tokens count as 126\./);
  t.match(ended.stdout, /✓ smollm2-135m\/careful@\S+: same as the model: ".*" at -\d/);
  t.match(ended.stdout, /✓ smollm2-135m\/careful@\S+: same as text: Equal/);
});
