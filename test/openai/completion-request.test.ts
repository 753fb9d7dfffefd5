import t from 'tap';
import { parseCompletionRequest } from '../../src/openai/completions.ts';

t.test('the four shapes of a prompt, and unknown fields, are kept', async (t) => {
  for (const prompt of ['Hello', '', ['a', 'b'], [1, 2, 3], [[1], [2, 3]]]) {
    const body = { model: 'm', prompt, echo: false, suffix: 's', best_of: 2, n: 2, logprobs: 0, guided_regex: 'x' };
    t.strictSame(parseCompletionRequest(body), body);
  }
});

t.test('null for an optional field means that it was not given', async (t) => {
  const body = { model: 'm', prompt: 'x', suffix: null, logprobs: null, max_tokens: null };
  t.strictSame(parseCompletionRequest(body), { model: 'm', prompt: 'x' });
});

const refused: [fields: Record<string, unknown>, param: string, message: RegExp][] = [
  [{ prompt: null }, 'prompt', /must be of type string or array/],
  [{ prompt: [] }, 'prompt', /1 item/],
  [{ prompt: [[]] }, 'prompt[0]', /./],
  [{ prompt: [-1] }, 'prompt[0]', /./],
  [{ prompt: [1.5] }, 'prompt[0]', /./],
  [{ prompt: ['a', 5] }, 'prompt[1]', /must be of type string/],
  [{ logprobs: 21 }, 'logprobs', /<= 20/],
  [{ logprobs: true }, 'logprobs', /must be of type integer/],
  [{ n: 3, best_of: 2 }, 'best_of', /at least 'n'/],
  [{ best_of: 2, stream: true }, 'best_of', /not a stream/],
  [{ max_tokens: 0 }, 'max_tokens', />= 1/],
];

for (const [fields, param, message] of refused) {
  t.test(`refused: ${JSON.stringify(fields)}`, async (t) => {
    const body = { model: 'm', prompt: 'x', ...fields };
    t.throws(() => parseCompletionRequest(body), { name: 'PreambleError', code: 'invalid_request', param, message });
  });
}
