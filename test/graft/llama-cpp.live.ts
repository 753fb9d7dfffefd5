import { join } from 'node:path';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { graftGguf } from '../../src/graft/gguf/graft-gguf.ts';
import { convertGguf } from '../../src/model/convert/gguf-to-huggingface.ts';
import { startLlamaCpp } from '../helpers/llama-cpp.ts';
import { embeddedLogprobs, graftDefault, question } from './support/default-graft.ts';
import { chatLogprobs, farthest } from './support/logprobs.ts';
import { tinySetting, writeTinyPrompts } from './support/tiny-checkpoint.ts';
import { writeFloatTwin, writeTinyGguf } from './support/tiny-gguf.ts';

const TOKENS = 16;
/** Natural units. Half precision in the weights, and llama.cpp's own order of sums. */
const TOLERANCE = { f16: 0.05, q8_0: 0.3 } as const;
/** llama.cpp rounds the states to eight bits where it multiplies them with a K-quant, whichever: 0.07 to 0.14 were seen. Rows read otherwise are nats apart. */
const K_QUANT_TOLERANCE = 0.3;
const PARALLEL = 16;
const SAMPLES = { requests: 50, tokens: 200 };

const tokensSchema = Type.Object({ tokens: Type.Array(Type.Integer()) });

const probabilitiesSchema = Type.Object({
  completion_probabilities: Type.Array(
    Type.Object({ top_logprobs: Type.Array(Type.Object({ id: Type.Integer(), logprob: Type.Number() })) }),
    { minItems: 1 },
  ),
});

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

for (const type of ['Q4_K', 'Q5_K', 'Q6_K'] as const) {
  t.test(`llama.cpp reads a GGUF file that was grafted in its own ${type} as we do`, async (t) => {
    const { folder, source } = await tinySetting(t, { hiddenSize: 256 });
    const file = join(folder, 'original', 'tiny.gguf');
    await writeTinyGguf(source, file, type);
    await convertGguf(file, join(folder, 'converted'));
    const registry = await writeTinyPrompts(join(folder, 'others'), join(folder, 'converted'), { kind: 5 });
    const out = join(folder, 'out');
    const request = {
      source: file,
      prompts: [registry.resolve('tiny/kind')],
      out,
      copy: 'copy',
      dryRun: false,
    } as const;
    const { graft } = await graftGguf({ ...request, type: null });
    const [grafted] = graft?.prompts ?? [];
    const ids = grafted?.tokens.map(({ id }) => id) ?? [];
    const twin = join(folder, 'twin.gguf');
    await writeFloatTwin(join(out, 'tiny.gguf'), twin);
    const [origin, floats] = [await startLlamaCpp(t, join(out, 'tiny.gguf')), await startLlamaCpp(t, twin)];

    const spelled = await post(`${origin}/tokenize`, { content: grafted?.spelled, parse_special: true });
    t.strictSame(Value.Parse(tokensSchema, spelled).tokens, ids, 'the spelled prompt is one token a row');

    const wanted = { prompt: [...ids, 40, 41, 42], n_predict: 1, n_probs: 50, temperature: 0 };
    const [read, expected] = [await likeliest(origin, wanted), await likeliest(floats, wanted)];
    const apart = [...read].map(([id, logprob]) => Math.abs(logprob - (expected.get(id) ?? Number.NaN)));
    const farthestApart = Math.max(...apart.filter((value) => !Number.isNaN(value)));
    t.ok(apart.length >= 40 && apart.filter(Number.isNaN).length < 10, 'the same tokens are the likeliest');
    t.ok(farthestApart < K_QUANT_TOLERANCE, `logprobs are ${farthestApart} from those of the same values as float32`);
    t.comment(
      `figure: llama.cpp on a graft in ${type}, logprobs ${farthestApart.toFixed(4)} from those of the same values as float32`,
    );

    const sampling = {
      n_predict: 100,
      temperature: 1.5,
      top_k: 0,
      top_p: 1,
      min_p: 0,
      ignore_eos: true,
      return_tokens: true,
    };
    const { tokens } = Value.Parse(tokensSchema, await post(`${origin}/completion`, { prompt: ids, ...sampling }));
    t.equal(tokens.length, 100);
    t.strictSame(
      tokens.filter((token) => token >= (graft?.source.vocabSize ?? 0)),
      [],
      'none that was sampled is virtual',
    );
  });
}

/** The first token's candidates, by id. */
async function likeliest(origin: string, body: object): Promise<Map<number, number>> {
  const { completion_probabilities: all } = Value.Parse(probabilitiesSchema, await post(`${origin}/completion`, body));
  return new Map(all[0]?.top_logprobs.map(({ id, logprob }) => [id, logprob]));
}
