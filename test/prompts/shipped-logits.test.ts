import t from 'tap';
import type { GeneratedToken, PromptSegment } from '../../src/engine/generation.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { shippedPromptDirectory } from '../../src/prompts/shipped.ts';
import { generationRequest, never, startDefaultEngine } from '../helpers/default-engine.ts';

t.test('the default model streams the same tokens and logprobs under a shipped prompt as under its text', async (t) => {
  // Float32: in 4 and 8 bits the kernels round activations by how many positions they read at once, and a soft prompt is read by itself.
  const { engine, tokenizer } = await startDefaultEngine({ weights: 'float32' });
  t.teardown(() => engine.close());
  const prompt = (await openPromptRegistry([shippedPromptDirectory])).resolve('smollm2-135m/careful');
  const softPrompt = await prompt.load();
  const text = prompt.manifest.text ?? '';
  const before = tokenizer.encode('<|im_start|>system\n');
  const after = tokenizer.encode(
    '<|im_end|>\n<|im_start|>user\nHow does a pump work?<|im_end|>\n<|im_start|>assistant\n',
  );

  async function stream(safety: PromptSegment): Promise<GeneratedToken[]> {
    const request = generationRequest({
      prompt: [{ tokens: before }, safety, { tokens: after }],
      topLogprobs: 5,
      maxTokens: 24,
    });
    const tokens: GeneratedToken[] = [];
    for await (const event of engine.generate(request, never)) if (event.type === 'text') tokens.push(...event.tokens);
    return tokens;
  }

  const underPrompt = await stream({ softPrompt });
  const underText = await stream({ tokens: tokenizer.encodeSection(text, false, 1000) });
  t.ok(underPrompt.length > 10);
  t.strictSame(
    underPrompt.map((token) => [token.tokenId, ...token.top.map((other) => other.tokenId)]),
    underText.map((token) => [token.tokenId, ...token.top.map((other) => other.tokenId)]),
  );
  const difference = underPrompt.flatMap((token, step) =>
    token.top.map((other, rank) => Math.abs(other.logprob - (underText[step]?.top[rank]?.logprob ?? Number.NaN))),
  );
  t.ok(Math.max(...difference) < 1e-4, `the largest difference is ${Math.max(...difference)}`);
});
