import { join } from 'node:path';
import t from 'tap';
import { graftGguf } from '../../src/graft/gguf/graft-gguf.ts';
import { restoreGraft } from '../../src/graft/restore.ts';
import { openCheckpoint } from '../../src/model/checkpoint.ts';
import { convertGguf } from '../../src/model/convert/gguf-to-huggingface.ts';
import { openEmbeddingTable } from '../../src/model/embedding-table.ts';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { type TinyOptions, tinySetting } from './support/tiny-checkpoint.ts';

const WIDTH = 128;
const counts = { kind: 3, firm: 2 };

async function embeddingRow(directory: string, id: number): Promise<Float32Array> {
  const table = openEmbeddingTable(await openCheckpoint(directory));
  const row = new Float32Array(WIDTH);
  table.read([id], row, 0);
  table.close();
  return row;
}

const farthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? Number.NaN))), 0);

const sources: [what: string, options: TinyOptions, type: 'f16' | 'q8_0'][] = [
  ['llama, tied', { architecture: 'llama' }, 'f16'],
  ['mistral, tied', { architecture: 'mistral' }, 'q8_0'],
  ['qwen2, untied, padding rows', { architecture: 'qwen2', tied: false, rows: 320 }, 'q8_0'],
  ['qwen3, untied, F32', { architecture: 'qwen3', tied: false, dtype: 'F32' }, 'f16'],
];
for (const [what, options, type] of sources) {
  t.test(`${what}, as ${type}: the file is the checkpoint with its virtual tokens`, async (t) => {
    const { source, out, folder, prompts } = await tinySetting(t, { ...options, hiddenSize: WIDTH }, counts);
    const { graft } = await graftGguf({ source, prompts, out, copy: 'copy', dryRun: false, type });
    const back = join(folder, 'back');
    await convertGguf(join(out, graft?.result.file ?? ''), back);
    const [before, after] = [await openCheckpoint(source), await openCheckpoint(back)];
    const { eosTokenIds: _, ...config } = before.config;
    t.match(after.config, { ...config, vocabSize: 320, tiedEmbeddings: false });
    const tokenizer = await loadTokenizer(back);
    t.equal(tokenizer.vocabularyDigest, graft?.result.tokenizerSha256);
    for (const { tokens, spelled } of graft?.prompts ?? []) {
      t.strictSame(
        tokenizer.encode(spelled),
        tokens.map(({ id }) => id),
      );
    }
    const row = await embeddingRow(back, graft?.prompts[1]?.tokens[1]?.id ?? 0);
    const wanted = (await prompts[1]?.load())?.values.slice(WIDTH, 2 * WIDTH) ?? new Float32Array(0);
    t.ok(farthest(row, wanted) < 0.01, 'the second row of the second prompt');
    t.ok(farthest(await embeddingRow(back, 7), await embeddingRow(source, 7)) < 0.02, 'a real row');
    await t.rejects(
      restoreGraft(out, join(folder, 'restored'), 'copy', () => {}),
      { message: /converted into another format/ },
    );
  });
}
