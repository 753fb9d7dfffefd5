import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { type GgmlType, ggmlTypes } from '../../src/formats/gguf/tensor-types.ts';
import { readGgufHeader } from '../../src/formats/gguf.ts';
import { isQuantizable, quantize } from '../../src/formats/quantize/quantizers.ts';
import { graftGguf } from '../../src/graft/gguf/graft-gguf.ts';
import { restoreGraft } from '../../src/graft/restore.ts';
import { readRows } from '../../src/graft/rewrite-weights.ts';
import { convertGguf } from '../../src/model/convert/gguf-to-huggingface.ts';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { digests, tinySetting, writeTinyPrompts } from './support/tiny-checkpoint.ts';
import { writeTinyGguf } from './support/tiny-gguf.ts';

const WIDTH = 128;
const counts = { kind: 3, firm: 2 };

const types: GgmlType[] = ['F16', 'BF16', 'Q8_0', 'Q4_0', 'Q5_1', 'Q4_K', 'Q5_K', 'Q6_K'];
for (const [index, type] of types.entries()) {
  t.test(`a GGUF file keeps its ${type}, and is restored bit for bit`, async (t) => {
    const width = Math.max(WIDTH, ggmlTypes[type].elements);
    const { folder, source } = await tinySetting(t, {
      hiddenSize: width,
      tied: index % 2 === 0,
      rows: index === 2 ? 320 : 312,
    });
    const file = join(folder, 'original', 'tiny.gguf');
    await writeTinyGguf(source, file, type);
    const converted = join(folder, 'converted');
    await convertGguf(file, converted);
    const registry = await writeTinyPrompts(join(folder, 'others'), converted, counts);
    const prompts = Object.keys(counts).map((name) => registry.resolve(`tiny/${name}`));
    const before = await digests(join(folder, 'original'));

    const out = join(folder, 'out');
    const { graft } = await graftGguf({ source: file, prompts, out, copy: 'copy', dryRun: false, type: null });
    t.ok((graft?.margin.worst ?? 0) > 0);
    const [old, { tensors, metadata }] = [await readGgufHeader(file), await readGgufHeader(join(out, 'tiny.gguf'))];
    t.match(tensors.get('token_embd.weight'), { type, shape: [320, width] });
    t.match(tensors.get('output.weight'), { type, shape: [320, width] });
    t.strictSame([...metadata.keys()], [...old.metadata.keys()]);
    t.equal(metadata.get('tests.kept'), 0.1 + 0.2, 'a key that nobody here knows');

    const [, firm] = graft?.prompts ?? [];
    const values = (await prompts[1]?.load())?.values ?? new Float32Array(0);
    const embeddings = tensors.get('token_embd.weight');
    if (embeddings === undefined || !isQuantizable(type)) throw new Error('it was written');
    const rows = await readRows(join(out, 'tiny.gguf'), embeddings, firm?.tokens.map(({ id }) => id) ?? []);
    t.equal(Buffer.compare(rows, quantize(values, type)), 0, 'the rows of the second prompt');

    const back = join(folder, 'back');
    await convertGguf(join(out, 'tiny.gguf'), back);
    const tokenizer = await loadTokenizer(back);
    t.equal(tokenizer.vocabularyDigest, graft?.result.tokenizerSha256);
    t.strictSame(
      tokenizer.encode(graft?.prompts[0]?.spelled ?? ''),
      graft?.prompts[0]?.tokens.map(({ id }) => id),
    );

    const restored = join(folder, 'restored');
    await restoreGraft(out, restored, 'copy', () => {});
    t.strictSame(await digests(restored), before);
    t.strictSame(await digests(join(folder, 'original')), before, 'the source is as it was');
  });
}

t.test('embeddings of a type that cannot be written are refused before anything is', async (t) => {
  const { folder, source, prompts, out } = await tinySetting(t, { hiddenSize: 256 });
  const file = join(folder, 'k.gguf');
  await writeTinyGguf(source, file, 'Q3_K');
  const before = await readdir(folder);
  await t.rejects(graftGguf({ source: file, prompts, out, copy: 'copy', dryRun: false, type: null }), {
    code: 'model_unsupported',
    message: /Q3_K/,
  });
  t.strictSame(await readdir(folder), before, 'nothing is left over');
});
