import t from 'tap';
import { checkMaxTokens, generationRequests } from '../../../src/backends/embedded/generation-requests.ts';
import { parseChatCompletionRequest } from '../../../src/openai/chat.ts';

const prompts = [[{ tokens: [1] }], [{ tokens: [2] }]];
const plan = { id: 'a', prompts, maxTokens: 5, topLogprobs: null, defaults: { temperature: 0.2, topP: 0.9 } };
const requests = (fields: object) =>
  generationRequests(
    parseChatCompletionRequest({ model: 'm', messages: [{ role: 'user', content: 'x' }], ...fields }),
    plan,
  );

t.test('every sampling field arrives, under the engine’s name', async (t) => {
  const [first] = requests({
    temperature: 0.5,
    top_p: 0.6,
    top_k: 7,
    min_p: 0.1,
    presence_penalty: 0.2,
    frequency_penalty: 0.3,
    repetition_penalty: 1.4,
    logit_bias: { 5: -100, 49151: 1.5 },
    stop: 'end',
    ignore_eos: true,
  });
  t.match(first, {
    prompt: [{ tokens: [1] }],
    maxTokens: 5,
    stop: ['end'],
    ignoreEos: true,
    sampling: {
      temperature: 0.5,
      topP: 0.6,
      topK: 7,
      minP: 0.1,
      presencePenalty: 0.2,
      frequencyPenalty: 0.3,
      repetitionPenalty: 1.4,
    },
  });
  t.strictSame(
    [...(first?.sampling.logitBias ?? [])],
    [
      [5, -100],
      [49151, 1.5],
    ],
  );
});

t.test('what is left out, or null, is the settings’, then what changes nothing', async (t) => {
  const plain = {
    temperature: 0.2,
    topP: 0.9,
    topK: 0,
    minP: 0,
    presencePenalty: 0,
    frequencyPenalty: 0,
    repetitionPenalty: 1,
  };
  for (const fields of [{}, { temperature: null, top_p: null, top_k: null, min_p: null }, { top_k: -1 }]) {
    t.match(requests(fields)[0], { sampling: plain, stop: [], ignoreEos: false });
  }
  t.match(requests({ temperature: 0, top_p: 0 })[0]?.sampling, { temperature: 0, topP: 0 }, 'zero is not left out');
});

t.test('n choices a prompt, numbered prompt by prompt, each with a seed of its own', async (t) => {
  const seeds = (fields: object) => requests(fields).map(({ sampling }) => sampling.seed);
  const made = requests({ n: 3, seed: 9 });
  t.strictSame(
    made.map(({ id }) => id),
    ['a-0', 'a-1', 'a-2', 'a-3', 'a-4', 'a-5'],
  );
  t.strictSame(
    made.map(({ prompt }) => prompt),
    [0, 0, 0, 1, 1, 1].map((at) => prompts[at]),
  );
  const [first, second, third, ...again] = seeds({ n: 3, seed: 9 });
  t.equal(new Set([first, second, third]).size, 3);
  t.strictSame(again, [first, second, third], 'the same choice of another prompt has the same');
  t.equal(seeds({ seed: 9 })[0], first, 'whatever n is');
  t.not(seeds({})[0], seeds({})[0], 'without a seed each request has another');
  for (const seed of [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
    t.ok(Number.isFinite(seeds({ seed })[0]));
});

t.test('more tokens than the model can ever write is a mistake worth telling', async (t) => {
  t.doesNotThrow(() => checkMaxTokens('max_tokens', undefined, 10));
  t.doesNotThrow(() => checkMaxTokens('max_tokens', 10, 10));
  t.throws(() => checkMaxTokens('max_tokens', 11, 10), { code: 'invalid_request', param: 'max_tokens' });
});
