import t, { type Test } from 'tap';
import type { AnswerSource } from '../../../src/dro/answers/answer-source.ts';
import { openEngineSource } from '../../../src/dro/answers/engine-source.ts';
import { noPrompt, softPrompt, textPrompt } from '../../../src/dro/answers/prompt-under-test.ts';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { openEmbeddingTable } from '../../../src/model/embedding-table.ts';
import { loadTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { never } from '../../helpers/default-engine.ts';
import { tinyChatModel } from '../../helpers/tiny-model.ts';
import { tinyModelDirectory } from '../../prompts/support/tiny.ts';

const drawn = { temperature: 1, topP: 1, seed: 5 };
const query = 'how are you';

async function open(t: Test, config: object = {}): Promise<AnswerSource> {
  const source = await openEngineSource(t.testdir(await tinyChatModel(config)), { weights: 'float32', threads: 1 });
  t.teardown(source.close);
  return source;
}

t.test(
  'the same seed gives the same answer, whatever runs beside it and whether its input was read before',
  async (t) => {
    const source = await open(t);
    const ask = (seed: number) =>
      source.answer({ query, prompt: noPrompt, sampling: { ...drawn, seed }, maxTokens: 12 }, never);
    const alone = await ask(1);
    const together = await Promise.all([ask(1), ask(2), ask(3)]);
    t.equal(together[0]?.text, alone.text);
    t.not(together[1]?.text, alone.text);
    t.equal(alone.completionTokens, 12);
    t.equal(alone.finishReason, 'length');
    t.match(alone.decision, { decision: /complied|empty/, detector: /@/ });
  },
);

t.test('a text and the rows of its tokens give the same greedy answer, another text another', async (t) => {
  const source = await open(t);
  const ask = (prompt: typeof noPrompt) =>
    source.answer({ query, prompt, sampling: { temperature: 0 }, maxTokens: 12 }, never);
  const text = await ask(textPrompt('careful', 'be careful'));
  t.not(text.text, (await ask(noPrompt)).text);
  const checkpoint = await openCheckpoint(tinyModelDirectory);
  const ids = (await loadTokenizer(tinyModelDirectory)).encodeSection('be careful', false, 16);
  const { hiddenSize } = checkpoint.config;
  const values = new Float32Array(ids.length * hiddenSize);
  const table = openEmbeddingTable(checkpoint);
  table.read(ids, values, 0);
  table.close();
  const rows = { label: 'careful@1.0.0', digest: 'a'.repeat(64), tokens: ids.length, hiddenSize, values };
  t.equal((await ask(softPrompt(rows, 'system'))).text, text.text);
});

t.test('a query that is longer than the context is named', async (t) => {
  const source = await open(t, { max_position_embeddings: 16 });
  await t.rejects(source.answer({ query: 'a b c d e f g h', prompt: noPrompt, sampling: drawn, maxTokens: 4 }, never), {
    code: 'context_length_exceeded',
    message: /^The query "a b c d e f g h" has \d+ tokens .* context 16\.$/,
  });
});

t.test('a model without a chat template is refused', async (t) => {
  const { 'chat_template.jinja': _, ...files } = await tinyChatModel();
  await t.rejects(openEngineSource(t.testdir(files)), { code: 'model_unsupported', message: /no chat template/ });
});
