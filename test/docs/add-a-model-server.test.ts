import t from 'tap';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { startFakeVllm } from '../helpers/fake-vllm.ts';
import { tinyModelDirectory } from '../prompts/support/tiny.ts';
import { openTutorial } from './support/tutorial.ts';

/** Of the tiny model. */
const HIDDEN_SIZE = 32;

t.test('who follows the page gets an answer with the prompt in front, and the lines that it shows', async (t) => {
  const tokenizer = await loadTokenizer(tinyModelDirectory);
  const vllm = await startFakeVllm(t, {
    hiddenSize: HIDDEN_SIZE,
    countTokens: (text) => tokenizer.encode(text).length,
  });
  const page = await openTutorial(t, { 'http://127.0.0.1:8000': vllm.origin }, 'docs/how-to/add-a-model-server.md');

  await page.step('1.');
  t.match(await page.step('2.'), [/^Wrote my\/safe@1\.0\.0, /]);
  await page.step('3.');
  const [found = ''] = await page.step('4.');
  const lines = found.split('\n').map((line) => /^ {2}✓ ([^:]+(?:: [a-z ]+)?): /.exec(line)?.[1]);
  const shown = ['prompt embeddings', 'content parts', 'virtual tokens', 'same as text'];
  t.strictSame(lines, [undefined, 'model', 'version', ...shown.map((name) => `my/safe@1.0.0: ${name}`), undefined]);
  await page.step('5.');
  t.equal(await page.ask(), 'my/safe@1.0.0');
});
