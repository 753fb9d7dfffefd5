import t from 'tap';
import { openPromptRegistry } from '../../../src/prompts/registry.ts';
import { shippedPromptDirectory } from '../../../src/prompts/shipped.ts';
import { buildProxy, model } from '../../helpers/build-proxy.ts';
import { startVllm } from '../../helpers/vllm.ts';

// A prompt that was made from a text makes a real vLLM say what it says under that text, on every wire.
const vllm = await startVllm();
t.teardown(vllm.stop);

const prompt = 'smollm2-135m/careful';
const messages = [{ role: 'user', content: 'How do I take care of a cactus?' }];
const asked = { model, messages, temperature: 0, max_tokens: 12, logprobs: true, top_logprobs: 5 };

interface Logprobs {
  usage: { prompt_tokens: number };
  choices: [
    { logprobs: { content: { token: string; logprob: number; top_logprobs: { token: string; logprob: number }[] }[] } },
  ];
}

async function answer(origin: string, body: object, path = '/v1/chat/completions'): Promise<Logprobs> {
  const response = await fetch(origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  return JSON.parse(text);
}

const tokens = ({ choices }: Logprobs) => choices[0].logprobs.content.map(({ token }) => token);
const farthest = (a: Logprobs, b: Logprobs) =>
  Math.max(
    ...a.choices[0].logprobs.content.map(({ logprob }, index) =>
      Math.abs(logprob - (b.choices[0].logprobs.content[index]?.logprob ?? Number.POSITIVE_INFINITY)),
    ),
  );

t.test('the soft prompt on both wires is the text in the system message', async (t) => {
  const registry = await openPromptRegistry([shippedPromptDirectory]);
  const text = registry.resolve(prompt).manifest.text ?? '';
  t.ok(text);
  const spoken = await answer(vllm.origin, {
    ...asked,
    model: vllm.modelName,
    messages: [{ role: 'system', content: text }, ...messages],
  });
  const chat = await buildProxy(t, [vllm], { prompt });
  const completions = await buildProxy(t, [vllm], {
    prompt,
    backend: { wire: 'completions', modelDirectory: 'smollm2-135m-instruct' },
  });
  for (const [wire, { origin }] of [
    ['chat', chat],
    ['completions', completions],
  ] as const) {
    const embedded = await answer(origin, asked);
    t.strictSame(tokens(embedded), tokens(spoken), `${wire}: the same tokens`);
    t.equal(embedded.usage.prompt_tokens, spoken.usage.prompt_tokens, `${wire}: as many of them in front`);
    // The same numbers in bfloat16; another batch may sum them in another order.
    t.ok(farthest(embedded, spoken) < 0.05, `${wire}: ${farthest(embedded, spoken)} apart`);
    t.comment(`figure: ${wire} wire, largest difference of logprobs from the text's ${farthest(embedded, spoken)}`);
  }
  const without = await answer(vllm.origin, { ...asked, model: vllm.modelName });
  t.ok(farthest(without, spoken) > 0.05, 'without the prompt it is another answer');
});

t.test('the application’s own system text follows the prompt on both wires alike', async (t) => {
  const own = { ...asked, messages: [{ role: 'system', content: 'Answer in French.' }, ...messages] };
  const chat = await answer((await buildProxy(t, [vllm], { prompt })).origin, own);
  const backend = { wire: 'completions', modelDirectory: 'smollm2-135m-instruct' };
  const completions = await answer((await buildProxy(t, [vllm], { prompt, backend })).origin, own);
  t.strictSame(tokens(completions), tokens(chat));
  t.equal(completions.usage.prompt_tokens, chat.usage.prompt_tokens);
});
