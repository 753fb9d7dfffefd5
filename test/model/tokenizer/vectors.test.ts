import { createHash } from 'node:crypto';
import t from 'tap';
import { tokenizerFilesFromGguf } from '../../../src/model/convert/tokenizer-from-gguf.ts';
import { createTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { smollm2Metadata } from '../convert/smollm2-metadata.ts';
import { readFixture, smollm2 } from './smollm2.ts';

interface Vector {
  text: string;
  ids: number[];
  decoded?: string;
  'gpt-2': string;
  'llama-bpe': string;
  qwen2: string;
}

const vectors: Vector[] = readFixture('vectors.jsonl.gz')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

t.equal(vectors.length, 5000);

t.test('5,000 texts have the ids that transformers gives them', async (t) => {
  const tokenizer = smollm2();
  const wrong = vectors.filter(({ text, ids }) => tokenizer.encode(text).join() !== ids.join());
  t.strictSame(wrong, []);
});

t.test('decoding the ids gives the texts again', async (t) => {
  const tokenizer = smollm2();
  const wrong = vectors.filter(({ text, ids, decoded }) => tokenizer.decode(ids) !== (decoded ?? text.toWellFormed()));
  t.strictSame(wrong, []);
});

for (const pre of ['gpt-2', 'llama-bpe', 'qwen2'] as const) {
  t.test(`5,000 texts have the ids that transformers gives them under ${pre}`, async (t) => {
    const files = tokenizerFilesFromGguf(smollm2Metadata({ pre }));
    const tokenizer = createTokenizer(JSON.parse(files['tokenizer.json'] ?? ''), {}, pre);
    const wrong = vectors.filter((vector) => digest(tokenizer.encode(vector.text)) !== vector[pre]);
    t.strictSame(wrong, []);
  });
}

function digest(ids: readonly number[]): string {
  return createHash('sha256').update(ids.join(' ')).digest('hex').slice(0, 12);
}
