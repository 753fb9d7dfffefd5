import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { tensorProgram } from '../../src/formats/torch-save/pickle-program.ts';
import { readTorchSave } from '../../src/formats/torch-save/read.ts';
import { encodeTorchSave } from '../../src/formats/torch-save/write.ts';
import { writeStoredZip } from '../../src/formats/torch-save/zip-write.ts';
import { importPrompt } from '../../src/prompts/import.ts';
import { toFloat32 } from '../../src/prompts/tensor.ts';
import { adapterDirectory, tinyModelDirectory } from './support/tiny.ts';

const target = {
  name: 'tiny/saved',
  version: '1.0.0',
  position: 'system',
  modelDirectory: tinyModelDirectory,
} as const;
const fixtures = fileURLToPath(new URL('../fixtures/torch-save/', import.meta.url));
const oneRow = { dtype: 'F32', rows: 1, columns: 32, bytes: new Uint8Array(128).fill(0x3c) } as const;
const saved = (name: string) => join(fixtures, 'torch-2.13.0', name);

/** A copy of PEFT's own adapter_model.bin and adapter_config.json, to change. */
async function adapter(t: Test): Promise<string> {
  const directory = join(t.testdir(), 'adapter');
  await cp(join(fixtures, 'peft'), directory, { recursive: true });
  return directory;
}

t.test('an adapter that PEFT saved without safetensors is the same prompt', async (t) => {
  const directory = await adapter(t);
  const fromSafetensors = await importPrompt(adapterDirectory('text'), target);
  const fromPickle = await importPrompt(directory, target);
  t.same(plain(fromPickle), plain(fromSafetensors));
  t.same(plain(await importPrompt(join(directory, 'adapter_model.bin'), target)), plain(fromSafetensors));
});

t.test('of an adapter in both forms the safetensors is read', async (t) => {
  const directory = await adapter(t);
  await writeFile(join(directory, 'adapter_model.bin'), 'nonsense');
  await t.rejects(importPrompt(directory, target), { code: 'format_invalid', message: /^adapter_model\.bin is not/ });
  await copyFile(
    join(adapterDirectory('text'), 'adapter_model.safetensors'),
    join(directory, 'adapter_model.safetensors'),
  );
  t.match(await importPrompt(directory, target), { tensor: { tokens: 8 } });
});

t.test("an adapter's description must fit its rows", async (t) => {
  const directory = await adapter(t);
  const config = join(directory, 'adapter_config.json');
  await writeFile(config, JSON.stringify({ peft_type: 'PROMPT_TUNING', num_virtual_tokens: 9 }));
  await t.rejects(importPrompt(directory, target), { code: 'prompt_invalid', message: /says 9 tokens/ });
  await writeFile(config, JSON.stringify({ peft_type: 'LORA' }));
  await t.rejects(importPrompt(directory, target), { code: 'prompt_invalid', message: /"LORA"/ });
  await rm(config);
  t.match(await importPrompt(directory, target), { baseModel: null, tensor: { tokens: 8 } });
});

t.test('rows that were saved by themselves or as soft_prompt need nothing else', async (t) => {
  const bare = await importPrompt(saved('bf16.pt'), target);
  t.match(bare, {
    baseModel: null,
    content: { text: undefined },
    tensor: { dtype: 'BF16', tokens: 3, hiddenSize: 32 },
  });
  t.match(await importPrompt(saved('gradient.pth'), target), { tensor: { dtype: 'F32', tokens: 2 } });
  t.match(await importPrompt(saved('slice.pt'), target), { tensor: { dtype: 'F32', tokens: 3 } });
  const path = join(t.testdir(), 'ROWS.PT');
  await copyFile(saved('f32.pt'), path);
  t.match(await importPrompt(path, target), { tensor: { dtype: 'F32', tokens: 3 } }, 'extensions in capitals');
});

t.test('float16 rows become float32, exactly', async (t) => {
  const { tensor } = await importPrompt(saved('ordered-dict.bin'), target);
  t.match(tensor, { dtype: 'F32', tokens: 3, hiddenSize: 32 });
  const halves = Buffer.from((await readTorchSave(saved('ordered-dict.bin'))).tensor.bytes);
  t.equal(halves.readUInt16LE(4), 1);
  t.same([...toFloat32(tensor).subarray(0, 4)], [0, -0, 2 ** -24, 65504]);
});

t.test('what is no soft prompt of this model is refused', async (t) => {
  const refused = async (path: string, code: string, message: RegExp) =>
    await t.rejects(importPrompt(path, target), { code, message }, String(message));
  await refused(saved('refused/transposed.pt'), 'format_invalid', /^transposed\.pt is not .* not contiguous/);
  await refused(saved('refused/module.pt'), 'format_invalid', /names "torch\.nn\.modules\.linear\.Linear"/);
  await refused(join(t.testdir(), 'absent.pt'), 'file_unreadable', /absent\.pt/);
  const path = join(t.testdir(), 'narrow.pt');
  await writeFile(path, encodeTorchSave({ ...oneRow, rows: 2, columns: 16 }));
  await refused(path, 'prompt_mismatch', /have 16 values, the hidden size .* is 32/);
  const bytes = new Uint8Array(4097 * 32 * 2);
  await writeFile(path, encodeTorchSave({ dtype: 'BF16', rows: 4097, columns: 32, bytes }));
  await refused(path, 'prompt_invalid', /its shape is \[4097, 32\], not \[1 to 4096 tokens/);
});

t.test('a matrix under a name that says nothing is refused', async (t) => {
  const directory = join(t.testdir(), 'adapter');
  const path = join(directory, 'weight.pt');
  await mkdir(directory);
  const program = Buffer.from(tensorProgram(oneRow)).toString('latin1');
  const dict = `\x80\x02}X\x06\0\0\0weight${program.slice(2, -1)}s.`;
  await writeFile(
    path,
    writeStoredZip([
      { name: 'weight/data.pkl', data: Buffer.from(dict, 'latin1') },
      { name: 'weight/data/0', data: oneRow.bytes },
      { name: 'weight/version', data: Buffer.from('3\n') },
    ]),
  );
  await t.rejects(importPrompt(path, target), {
    code: 'prompt_invalid',
    message: /neither soft_prompt nor PEFT's prompt_embeddings/,
  });
});

function plain({ content, tensor, baseModel }: Awaited<ReturnType<typeof importPrompt>>) {
  return { content, baseModel, ...tensor, bytes: Buffer.from(tensor.bytes).toString('hex') };
}
