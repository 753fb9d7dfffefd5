import t from 'tap';
import type { SoftPrompt } from '../../src/prompts/soft-prompt.ts';
import { collect, generationRequest, never, startDefaultEngine } from '../helpers/default-engine.ts';

const HIDDEN = 576;

function softPrompt(digest: string, scale: number): SoftPrompt {
  const values = Float32Array.from({ length: 20 * HIDDEN }, (_, index) => scale * Math.sin(index));
  return { label: `${digest}@1.0.0`, digest, tokens: 20, hiddenSize: HIDDEN, values };
}

t.test("a soft prompt's keys and values are computed once and shared, without changing an answer", async (t) => {
  const { engine, tokenizer } = await startDefaultEngine();
  t.teardown(() => engine.close());
  const ask = (prompt: SoftPrompt, question: string) =>
    collect(
      engine.generate(
        generationRequest({
          prompt: [
            { tokens: tokenizer.encode('<|im_start|>system\n') },
            { softPrompt: prompt },
            {
              tokens: tokenizer.encode(`<|im_end|>\n<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`),
            },
          ],
        }),
        never,
      ),
    );
  const first = await ask(softPrompt('a', 0.1), 'What is rain?');
  const second = await ask(softPrompt('a', 0.1), 'What is rain?');
  t.equal(first.usage.cachedTokens, 0);
  t.equal(second.usage.cachedTokens, tokenizer.encode('<|im_start|>system\n').length + 20);
  t.equal(second.usage.promptTokens, first.usage.promptTokens);
  t.equal(second.text, first.text);

  const other = await ask(softPrompt('b', 0.3), 'What is rain?');
  t.equal(other.usage.cachedTokens, 0, 'another version shares nothing');
  const together = await Promise.all([
    ask(softPrompt('b', 0.3), 'What is rain?'),
    ask(softPrompt('a', 0.1), 'What is rain?'),
  ]);
  t.strictSame(
    together.map((answer) => answer.text),
    [other.text, first.text],
    'versions stand beside each other',
  );
});
