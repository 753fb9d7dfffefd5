import t from 'tap';
import { keyDigest } from '../../src/policy/tenant-of-key.ts';
import { buildProxy, model } from '../helpers/build-proxy.ts';
import { sendJson, startFakeVllm } from '../helpers/fake-vllm.ts';

const path = '/v1/embeddings';
const input = 'word '.repeat(400);

t.test('what is handed on is settled by the counts of the answer, where it has some', async (t) => {
  const fake = await startFakeVllm(t);
  const counted: [name: string, answer: object, tokens: number][] = [
    ['embeddings', { data: [], usage: { prompt_tokens: 7, total_tokens: 7 } }, 7],
    ['a reranker', { results: [], usage: { total_tokens: 90 } }, 90],
    ['with a completion', { usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 } }, 11],
  ];
  const tenants = counted.map((_, index) => ({
    id: `t${index}`,
    keys: [keyDigest(`k${index}`)],
    // So that next to nothing flows back while the test runs.
    limits: { tokensPerMinute: 10_000 },
  }));
  const proxy = await buildProxy(t, [fake], { prompt: null, more: { tenants, passThrough: [path] } });
  for (const [index, [name, answer, tokens]] of counted.entries()) {
    fake.script = (response) => sendJson(response, 200, answer);
    const headers = { authorization: `Bearer k${index}` };
    const remaining = async () => {
      const { status, headers: told } = await proxy.post({ model, input }, { path, headers });
      t.equal(status, 200);
      return Number(told.get('x-ratelimit-remaining-tokens'));
    };
    const [first, second] = [await remaining(), await remaining()];
    // Both estimates are alike; the first was put right in between.
    t.ok(first - second <= tokens, `${name}: ${first - second}`);
  }
});
