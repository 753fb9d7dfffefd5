import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { writePrompt } from '../../src/prompts/artifact-write.ts';
import { exportPrompt } from '../../src/prompts/export.ts';
import { promptFromText } from '../../src/prompts/from-text.ts';
import { importPrompt } from '../../src/prompts/import.ts';
import { openPromptRegistry } from '../../src/prompts/registry.ts';
import { toFloat32 } from '../../src/prompts/tensor.ts';
import { tinyModelDirectory } from './support/tiny.ts';

t.test('what is exported can be imported again, in either form', async (t) => {
  const root = t.testdir({ prompts: {}, out: {} });
  const target = { name: 'tiny/text', version: '1.0.0', position: 'system' as const };
  const { content, tensor } = await promptFromText(tinyModelDirectory, { ...target, text: 'Be kind.' });
  await writePrompt(join(root, 'prompts'), content, tensor);
  const prompt = (await openPromptRegistry([join(root, 'prompts')])).resolve('tiny/text');

  const file = join(root, 'out/deeper/kind.safetensors');
  await exportPrompt(prompt, 'safetensors', file);
  const plain = await importPrompt(file, { ...target, modelDirectory: tinyModelDirectory });
  t.same(Buffer.from(plain.tensor.bytes), Buffer.from(tensor.bytes), 'bit for bit');

  const directory = join(root, 'out/kind');
  await exportPrompt(prompt, 'peft', directory);
  t.strictSame((await readdir(directory)).sort(), ['adapter_config.json', 'adapter_model.safetensors']);
  t.match(JSON.parse(await readFile(join(directory, 'adapter_config.json'), 'utf8')), {
    peft_type: 'PROMPT_TUNING',
    task_type: 'CAUSAL_LM',
    num_virtual_tokens: tensor.tokens,
    token_dim: 32,
    base_model_name_or_path: 'preamble-tests/tiny-chat',
  });
  const adapter = await importPrompt(directory, { ...target, modelDirectory: tinyModelDirectory });
  t.equal(adapter.tensor.dtype, 'F32');
  t.same(toFloat32(adapter.tensor), toFloat32(tensor));

  for (const format of ['safetensors', 'peft'] as const) {
    await t.rejects(exportPrompt(prompt, format, directory), { code: 'file_unwritable', message: /exists already/ });
    await t.rejects(exportPrompt(prompt, format, join(file, 'below-a-file')), { code: 'file_unwritable' });
  }
  t.strictSame((await readdir(join(root, 'out'))).sort(), ['deeper', 'kind'], 'nothing half-made stays');
});
