import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { f16ToFloat32 } from '../../src/formats/half-precision.ts';
import { importPrompt } from '../../src/prompts/import.ts';
import { toFloat32 } from '../../src/prompts/tensor.ts';
import { adapterDirectory, recorded, safetensorsBytes, tinyModelDirectory } from './support/tiny.ts';

const target = { name: 'tiny/peft', version: '1.0.0', position: 'system', modelDirectory: tinyModelDirectory } as const;

async function fileOf(t: Test, name: string, dtype: string, shape: number[], data: Uint8Array): Promise<string> {
  const path = join(t.testdir(), 'rows.safetensors');
  await writeFile(path, safetensorsBytes(name, dtype, shape, data));
  return path;
}

t.test('a PEFT adapter is read from its directory or its file', async (t) => {
  const { text } = await recorded();
  const imported = await importPrompt(adapterDirectory('text'), target);
  t.match(imported, {
    baseModel: 'preamble-tests/tiny-chat',
    content: { text, name: 'tiny/peft', model: { id: 'preamble-tests/tiny-chat' } },
    tensor: { dtype: 'F32', tokens: 8, hiddenSize: 32 },
  });
  t.same(await importPrompt(join(adapterDirectory('text'), 'adapter_model.safetensors'), target), imported);
});

t.test('float16 rows become float32, exactly', async (t) => {
  const full = toFloat32((await importPrompt(adapterDirectory('text'), target)).tensor);
  const { tensor } = await importPrompt(adapterDirectory('half'), target);
  t.match(tensor, { dtype: 'F32', tokens: 8, hiddenSize: 32 });
  t.ok(toFloat32(tensor).every((value, index) => Math.abs(value - (full[index] ?? Number.NaN)) < 1e-3));
  const path = await fileOf(t, 'soft_prompt', 'F16', [1, 32], new Uint8Array(64).fill(0x3c));
  t.ok(toFloat32((await importPrompt(path, target)).tensor).every((value) => value === f16ToFloat32(0x3c3c)));
});

t.test('a plain file with soft_prompt needs nothing else', async (t) => {
  const path = await fileOf(t, 'soft_prompt', 'BF16', [2, 32], new Uint8Array(128).fill(0x3f));
  const { tensor, baseModel, content } = await importPrompt(path, target);
  t.match(tensor, { dtype: 'BF16', tokens: 2 });
  t.equal(baseModel, null);
  t.equal(content.text, undefined);
});

t.test('adapters of other kinds are refused, with what to do', async (t) => {
  const code = 'prompt_invalid';
  await t.rejects(importPrompt(adapterDirectory('lora'), target), { code, message: /"LORA"/, action: /model server/ });
  await t.rejects(importPrompt(adapterDirectory('prefix'), target), {
    code,
    message: /"PREFIX_TUNING"/,
    action: /PROMPT_TUNING/,
  });
});

t.test('rows that fit neither the model nor their own description are refused', async (t) => {
  const data = new Uint8Array(4 * 4 * 8);
  const refused = async (name: string, dtype: string, shape: number[], code: string, message: RegExp) =>
    await t.rejects(
      importPrompt(await fileOf(t, name, dtype, shape, data), target),
      { code, message },
      String(message),
    );
  await refused('soft_prompt', 'F32', [4, 8], 'prompt_mismatch', /have 8 values, the hidden size .* is 32/);
  await refused('weights', 'F32', [1, 32], 'prompt_invalid', /neither soft_prompt nor PEFT's prompt_embeddings/);
  await refused('soft_prompt', 'F64', [1, 16], 'prompt_invalid', /dtype is F64/);
  await refused('soft_prompt', 'F32', [32], 'prompt_invalid', /shape is \[32\]/);
  await refused('soft_prompt', 'F8', [1, 32], 'format_invalid', /unknown dtype/);

  const directory = join(t.testdir(), 'adapter');
  await cp(adapterDirectory('text'), directory, { recursive: true });
  const config = (changes: object) =>
    writeFile(join(directory, 'adapter_config.json'), JSON.stringify({ peft_type: 'PROMPT_TUNING', ...changes }));
  const code = 'prompt_invalid';
  await config({ num_virtual_tokens: 9 });
  await t.rejects(importPrompt(directory, target), { code, message: /says 9 tokens/ });
  await config({ num_transformer_submodules: 2 });
  await t.rejects(importPrompt(directory, target), { code, message: /encoder and a decoder/ });
  await config({ peft_type: 7 });
  await t.rejects(importPrompt(directory, target), { code, message: /peft_type must be string/ });
  await writeFile(join(directory, 'adapter_config.json'), '{');
  await t.rejects(importPrompt(directory, target), { code, message: /not JSON/ });
});

t.test('a directory without an adapter says how to get one', async (t) => {
  const directory = join(t.testdir(), 'adapter');
  await mkdir(directory);
  await t.rejects(importPrompt(directory, target), { code: 'file_unreadable', action: /safe_serialization=True/ });
  await t.rejects(importPrompt(join(directory, 'absent'), target), { code: 'file_unreadable' });
});
