import { join } from 'node:path';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { startLlamaCpp } from '../helpers/llama-cpp.ts';
import { embeddedLogprobs, graftDefault, question } from './support/default-graft.ts';
import { chatLogprobs, farthest } from './support/logprobs.ts';

const TOKENS = 16;
/** Natural units. Half precision in the weights, and llama.cpp's own order of sums. */
const TOLERANCE = { f16: 0.05, q8_0: 0.3 } as const;
const PARALLEL = 16;
const SAMPLES = { requests: 50, tokens: 200 };

const tokensSchema = Type.Object({ tokens: Type.Array(Type.Integer()) });

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return await response.json();
}

for (const type of ['f16', 'q8_0'] as const) {
  t.test(`llama.cpp on a graft as ${type}`, async (t) => {
    const made = await graftDefault(t, type);
    const { graft, grafted, out } = made;
    const origin = await startLlamaCpp(t, join(out, graft.result.file ?? ''), PARALLEL);
    const ids = grafted.tokens.map(({ id }) => id);

    const spelled = await post(`${origin}/tokenize`, { content: grafted.spelled, parse_special: true });
    t.strictSame(Value.Parse(tokensSchema, spelled).tokens, ids, 'the spelled prompt is one token a row');

    const messages = [
      { role: 'system', content: grafted.spelled },
      { role: 'user', content: question },
    ];
    const answered = await chatLogprobs(origin, { messages, max_tokens: TOKENS });
    const expected = await embeddedLogprobs(t, made, TOKENS);
    const apart = farthest(answered.logprobs, expected.logprobs);
    t.ok(apart < TOLERANCE[type], `logprobs are ${apart} from the embedded engine's under the soft prompt`);
    t.comment(
      `figure: llama.cpp ${type} under virtual tokens, largest difference of logprobs from the embedded engine ${apart.toFixed(4)}`,
    );
    const bare = await chatLogprobs(origin, { messages: messages.slice(1), max_tokens: TOKENS });
    t.ok(farthest(bare.logprobs, expected.logprobs) > TOLERANCE[type], 'without the prompt it is another answer');

    if (type !== 'f16') return;
    const virtual = new Set(ids);
    let sampled = 0;
    const sample = async (seed: number) => {
      const prompt = `<|im_start|>system\n${seed % 2 === 0 ? grafted.spelled : 'Hi.'}<|im_end|>\n<|im_start|>user\nTell me ${seed} things.<|im_end|>\n<|im_start|>assistant\n`;
      const body = {
        prompt,
        n_predict: SAMPLES.tokens,
        temperature: 1.5,
        top_k: 0,
        top_p: 1,
        min_p: 0,
        seed,
        ignore_eos: true,
        return_tokens: true,
      };
      const { tokens } = Value.Parse(tokensSchema, await post(`${origin}/completion`, body));
      sampled += tokens.length;
      return tokens.filter((token) => virtual.has(token) || token >= graft.source.vocabSize);
    };
    const found = await Promise.all(Array.from({ length: SAMPLES.requests }, (_, seed) => sample(seed)));
    t.ok(sampled >= SAMPLES.requests * SAMPLES.tokens, `${sampled} tokens were sampled`);
    t.strictSame(found.flat(), [], 'none of them virtual');
  });
}
