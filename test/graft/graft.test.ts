import { join } from 'node:path';
import t from 'tap';
import { graftModel } from '../../src/graft/graft.ts';
import { restoreGraft } from '../../src/graft/restore.ts';
import { openCheckpoint } from '../../src/model/checkpoint.ts';
import { loadTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { digests, type TinyOptions, TOKENS, tinySetting } from './support/tiny-checkpoint.ts';

const kinds: [what: string, options: TinyOptions, rows: number][] = [
  ['llama, tied, grown', { architecture: 'llama' }, 320],
  ['mistral, untied, grown, in shards', { architecture: 'mistral', tied: false, shards: 3 }, 320],
  ['qwen2, tied, into padding rows', { architecture: 'qwen2', rows: 336 }, 336],
  ['qwen3, untied, into padding rows, in shards', { architecture: 'qwen3', tied: false, rows: 336, shards: 4 }, 336],
  ['llama, tied, in shards, F16', { shards: 2, dtype: 'F16' }, 320],
  ['llama, untied, F32, too few padding rows', { tied: false, dtype: 'F32', rows: 316 }, 320],
];
for (const [what, options, rows] of kinds) {
  t.test(`${what}: opens as a checkpoint, and is restored bit for bit`, async (t) => {
    const { source, out, folder, prompts } = await tinySetting(t, options, { kind: 5, firm: 2 });
    const before = await digests(source);
    const { graft, isNew } = await graftModel({ source, prompts, out, copy: 'copy', dryRun: false });
    t.ok(isNew);
    t.strictSame(await digests(source), before, 'the source is as it was');

    const checkpoint = await openCheckpoint(out);
    t.match(checkpoint.config, { vocabSize: rows, tiedEmbeddings: false });
    const tokenizer = await loadTokenizer(out);
    for (const { tokens, spelled } of graft?.prompts ?? []) {
      t.strictSame(
        tokenizer.encode(`a${spelled}\nb`).slice(1, 1 + tokens.length),
        tokens.map(({ id }) => id),
      );
    }
    t.equal(graft?.prompts[0]?.tokens[0]?.id, TOKENS);
    t.ok((graft?.margin.positions ?? 0) >= 5000 && (graft?.margin.worst ?? 0) > 0, JSON.stringify(graft?.margin));

    const restored = join(folder, 'restored');
    await restoreGraft(out, restored, 'copy', () => {});
    t.strictSame(await digests(restored), before);
  });
}
