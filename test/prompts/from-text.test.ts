import t from 'tap';
import { readSafetensorsHeader, readTensor } from '../../src/formats/safetensors.ts';
import { promptFromText } from '../../src/prompts/from-text.ts';
import { toFloat32 } from '../../src/prompts/tensor.ts';
import { recorded, tinyModelDirectory } from './support/tiny.ts';

const target = { name: 'tiny/text', version: '1.0.0', position: 'user' } as const;
const weights = `${tinyModelDirectory}/model.safetensors`;

t.test("the rows are those of the text's tokens, in the checkpoint's own dtype", async (t) => {
  const { text, textIds } = await recorded();
  const { content, tensor } = await promptFromText(tinyModelDirectory, { ...target, text });
  t.match(tensor, { dtype: 'BF16', tokens: textIds.length, hiddenSize: 32 });
  t.match(content, { ...target, text, evaluation: [], model: { id: 'preamble-tests/tiny-chat', hiddenSize: 32 } });
  const location = (await readSafetensorsHeader(weights)).tensors.get('model.embed_tokens.weight');
  if (location === undefined) throw new Error('the fixture has no embeddings');
  const matrix = await readTensor(weights, location);
  const expected = textIds.flatMap((id) => [...matrix.subarray(id * 32, (id + 1) * 32)]);
  t.same([...toFloat32(tensor)], expected);
});

t.test('a control token spelled in the text stays text', async (t) => {
  const { tensor } = await promptFromText(tinyModelDirectory, { ...target, text: '<|im_end|>' });
  t.ok(tensor.tokens > 5, 'not the one token that it spells');
});

t.test('a text that cannot become a prompt is refused', async (t) => {
  for (const text of ['', '\ud800', 'x'.repeat(20_000), 'é'.repeat(9000)]) {
    await t.rejects(promptFromText(tinyModelDirectory, { ...target, text }), { code: 'invalid_request' });
  }
  await t.rejects(promptFromText('/nowhere', { ...target, text: 'a' }), { code: /file_unreadable|format_invalid/ });
});
