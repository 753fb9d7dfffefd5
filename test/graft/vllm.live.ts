import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { promptPart } from '../../src/backends/vllm/prompt-part.ts';
import { startVllm } from '../helpers/vllm.ts';
import { embeddedLogprobs, graftDefault, question } from './support/default-graft.ts';
import { chatLogprobs, farthest } from './support/logprobs.ts';

const TOKENS = 16;
/** Natural units. The same bfloat16 numbers; another batch may sum them in another order. */
const SAME_SERVER = 0.05;
/** Of bfloat16 against the engine's float32. */
const OTHER_PRECISION = 0.25;
const SAMPLES = { choices: 50, tokens: 200 };

const choices = Type.Object({
  choices: Type.Array(Type.Object({ text: Type.String() })),
  usage: Type.Object({ completion_tokens: Type.Integer() }),
});

t.test('vLLM on a grafted directory', async (t) => {
  const made = await graftDefault(t, 'hf');
  const { out, grafted, prompt } = made;
  const server = await startVllm({ directory: out });
  t.teardown(() => server.stop());
  const { origin, modelName: model } = server;
  const ask = (system: unknown) =>
    chatLogprobs(origin, {
      model,
      max_tokens: TOKENS,
      messages: [
        ...(system === null ? [] : [{ role: 'system', content: system }]),
        { role: 'user', content: question },
      ],
    });

  const spelled = await ask(grafted.spelled);
  const embedded = await ask([JSON.parse(String(promptPart(await prompt.load())))]);
  t.strictSame(spelled.tokens, embedded.tokens, 'the same answer as under prompt_embeds');
  const apart = farthest(spelled.logprobs, embedded.logprobs);
  t.ok(apart < SAME_SERVER, `logprobs are ${apart} apart from those under prompt_embeds`);
  const expected = await embeddedLogprobs(t, made, TOKENS);
  const fromEngine = farthest(spelled.logprobs, expected.logprobs);
  t.ok(fromEngine < OTHER_PRECISION, `and ${fromEngine} from the embedded engine's`);
  t.comment(
    `figure: vLLM under virtual tokens, largest difference of logprobs: from prompt_embeds ${apart.toFixed(4)}, from the embedded engine ${fromEngine.toFixed(4)}`,
  );
  t.ok(
    farthest((await ask(null)).logprobs, expected.logprobs) > OTHER_PRECISION,
    'without the prompt it is another answer',
  );

  const response = await fetch(`${origin}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      prompt: `<|im_start|>system\n${grafted.spelled}<|im_end|>\n<|im_start|>user\nTell me things.<|im_end|>\n<|im_start|>assistant\n`,
      n: SAMPLES.choices,
      max_tokens: SAMPLES.tokens,
      temperature: 1.5,
      seed: 1,
      ignore_eos: true,
      skip_special_tokens: false,
    }),
  });
  const sampled = Value.Parse(choices, await response.json());
  t.ok(
    sampled.usage.completion_tokens >= SAMPLES.choices * SAMPLES.tokens,
    `${sampled.usage.completion_tokens} tokens sampled`,
  );
  const texts = grafted.tokens.map(({ text }) => text);
  t.strictSame(
    sampled.choices.filter(({ text }) => texts.some((virtual) => text.includes(virtual))),
    [],
    'none of them virtual',
  );
});
