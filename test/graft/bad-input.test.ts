import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { graftModel } from '../../src/graft/graft.ts';
import { restoreGraft } from '../../src/graft/restore.ts';
import { assertDiskHolds } from '../../src/graft/staging.ts';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { identifyModel, toPromptModel } from '../../src/prompts/model-identity.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { digests, tinySetting, writeTinyCheckpoint, writeTinyPrompts } from './support/tiny-checkpoint.ts';

const rest = { copy: 'copy', dryRun: false } as const;

t.test('a prompt of another model, of another width', async (t) => {
  const { folder, source, out } = await tinySetting(t);
  for (const [name, options, message] of [
    ['other', { lean: 2 }, /tiny\/kind@1.0.0 was made for .* the embeddings' digest is/],
    ['wide', { hiddenSize: 128 }, /the hidden size is 128 there, 64 here/],
  ] as const) {
    await writeTinyCheckpoint(join(folder, name), options);
    const registry = await writeTinyPrompts(join(folder, `prompts-${name}`), join(folder, name), { kind: 5 });
    const request = { source, out, prompts: [registry.resolve('tiny/kind')], ...rest };
    await t.rejects(graftModel(request), { code: 'prompt_mismatch', message });
  }
});

t.test('a value that the dtype cannot hold', async (t) => {
  const { folder, source, out } = await tinySetting(t, { dtype: 'F16' });
  const values = new Float32Array(64).fill(1e6);
  const model = toPromptModel(await identifyModel(source));
  const root = join(folder, 'large');
  await writePrompt(
    root,
    { name: 'tiny/large', version: '1.0.0', model, position: 'system', evaluation: [] },
    { dtype: 'F32', tokens: 1, hiddenSize: 64, bytes: new Uint8Array(values.buffer) },
  );
  const prompts = [(await openPromptRegistry([root])).resolve('tiny/large')];
  await t.rejects(graftModel({ source, out, prompts, ...rest }), {
    code: 'prompt_mismatch',
    message: /tiny\/large@1.0.0 holds 1000000, which the model's dtype F16 cannot/,
  });
});

t.test('a checkpoint that is grafted already, and a place that is taken', async (t) => {
  const { folder, source, out, prompts } = await tinySetting(t, {}, { kind: 5, firm: 2 });
  const [kind, firm] = prompts;
  if (kind === undefined || firm === undefined) throw new RangeError('two prompts');
  await graftModel({ source, out, prompts: [kind], ...rest });
  const elsewhere = { out: join(folder, 'elsewhere'), prompts: [firm], ...rest };
  await t.rejects(graftModel({ source: out, ...elsewhere }), {
    code: 'model_unsupported',
    message: /is grafted already, with tiny\/kind@1.0.0 rather than tiny\/firm@1.0.0/,
  });
  t.match(await graftModel({ source, out, prompts: [kind], ...rest }), { isNew: false }, 'the same again is done');
  await t.rejects(graftModel({ source, out, prompts: [firm], ...rest }), {
    message: /another graft already, of tiny\/kind/,
  });
  await t.rejects(graftModel({ source, out: folder, prompts: [kind], ...rest }), { message: /is not empty/ });
  await t.rejects(
    restoreGraft(source, join(folder, 'x'), 'copy', () => {}),
    { code: 'file_unreadable', message: /preamble-graft.json/ },
  );
  const table = join(out, 'preamble-original', 'tokenizer.json');
  await writeFile(table, `${await readFile(table, 'utf8')} `);
  await t.rejects(
    restoreGraft(out, join(folder, 'y'), 'copy', () => {}),
    { code: 'digest_mismatch', message: /tokenizer.json of the grafted checkpoint has been changed/ },
  );
});

t.test('a shard that is missing, an entry of the index that is missing', async (t) => {
  const { source, out, prompts } = await tinySetting(t, { shards: 3, tied: false });
  const before = await digests(source);
  const index = join(source, 'model.safetensors.index.json');
  const text = await readFile(index, 'utf8');
  await writeFile(index, text.replace(/"lm_head.weight": "[^"]+",?\s*/, '').replace(/,(\s*})/, '$1'));
  const entry = graftModel({ source, out, prompts, ...rest });
  await t.rejects(entry, { code: 'format_invalid' });
  await writeFile(index, text);
  await rm(join(source, 'model-00002-of-00003.safetensors'));
  await t.rejects(graftModel({ source, out, prompts, ...rest }), {
    code: 'file_unreadable',
    message: /model-00002-of-00003/,
  });
  t.strictSame(Object.keys(await digests(source)).length, Object.keys(before).length - 1);
});

t.test('a model whose states share no direction: its virtual tokens could be generated', async (t) => {
  const { source, out, prompts } = await tinySetting(t, { lean: 0 });
  await t.rejects(graftModel({ source, out, prompts, ...rest }), {
    code: 'model_unsupported',
    message: /^Virtual tokens could be generated: at one position their logit is .* above the lowest real token's/,
  });
});

t.test('a disk without room', async (t) => {
  await t.rejects(assertDiskHolds(t.testdir(), 2 ** 60), {
    code: 'file_unwritable',
    message: /has .* GB free, and .* GB are needed/,
  });
});
