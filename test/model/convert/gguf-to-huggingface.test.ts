import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { readSafetensorsHeader } from '../../../src/formats/safetensors.ts';
import { openCheckpoint } from '../../../src/model/checkpoint.ts';
import { convertGguf } from '../../../src/model/convert/gguf-to-huggingface.ts';
import { ggufFixture } from './gguf-fixture.ts';

const recordSchema = Type.Object({ bf16Sha256: Type.Record(Type.String(), Type.String()) });

for (const model of ['tiny-llama', 'tiny-qwen2', 'tiny-qwen3']) {
  t.test(`the weights of ${model} are those that transformers loads from it, in bfloat16`, async (t) => {
    const recordedText = await readFile(ggufFixture(model).replace(/gguf$/, 'json'), 'utf8');
    const { bf16Sha256 } = Value.Parse(recordSchema, JSON.parse(recordedText));
    const directory = join(t.testdir(), model);
    await convertGguf(ggufFixture(model), directory);

    const path = join(directory, 'model.safetensors');
    const bytes = await readFile(path);
    const { tensors, metadata } = await readSafetensorsHeader(path);
    const digests: Record<string, string> = {};
    for (const [name, { dtype, offset, length }] of tensors) {
      t.equal(dtype, 'BF16');
      digests[name] = createHash('sha256')
        .update(bytes.subarray(offset, offset + length))
        .digest('hex');
    }
    t.same(digests, bf16Sha256);
    t.same(metadata, { format: 'pt' }, 'transformers asks for the format');
  });

  t.test(`${model} opens as a checkpoint, all its files beside it`, async (t) => {
    const directory = join(t.testdir(), model);
    await mkdir(directory);
    await convertGguf(ggufFixture(model), directory);
    const { config } = await openCheckpoint(directory);
    t.match(config, { architecture: model.replace('tiny-', ''), layers: 2, vocabSize: 288, eosTokenIds: [2] });
    t.same((await readdir(directory)).sort(), [
      'chat_template.jinja',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });
}

t.test('progress counts the bytes of the weights, up to all of them', async (t) => {
  const directory = join(t.testdir(), 'converted');
  const steps: [number, number][] = [];
  await convertGguf(ggufFixture('tiny-llama'), directory, { onProgress: (done, total) => steps.push([done, total]) });
  const { tensors } = await readSafetensorsHeader(join(directory, 'model.safetensors'));
  const total = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
  t.ok(steps.length > 1 && steps.every(([done], index) => done > (steps[index - 1]?.[0] ?? 0)));
  t.same(steps.at(-1), [total, total]);
});
