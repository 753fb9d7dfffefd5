import { appendFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readManifest, readPromptTensor, toSoftPrompt } from '../../src/prompts/artifact.ts';
import { replaceTensor, rows, safetensorsBytes, writeTiny } from './support/tiny.ts';

t.test('what was written is read back', async (t) => {
  const root = t.testdir();
  const { directory, manifest, digest } = await writeTiny(root);
  t.equal(directory, join(root, 'tiny/careful/1.0.0'));
  t.strictSame(await readManifest(directory), manifest);
  const soft = toSoftPrompt(manifest, await readPromptTensor(directory, manifest));
  t.match(soft, { label: 'tiny/careful@1.0.0', digest, tokens: 3, hiddenSize: 4 });
  t.same(soft.values, new Float32Array(Uint8Array.from(rows().bytes).buffer));
});

t.test('a tensor that is not its manifest’s is refused', async (t) => {
  const { directory, manifest } = await writeTiny(t.testdir());
  await appendFile(join(directory, 'prompt.safetensors'), ' ');
  await t.rejects(readPromptTensor(directory, manifest), {
    code: 'digest_mismatch',
    message: /not the tensor of its manifest/,
  });
  await truncate(join(directory, 'prompt.safetensors'), 20);
  await t.rejects(readPromptTensor(directory, manifest), { code: 'digest_mismatch' });
});

t.test('a tensor of another hidden size is refused, whoever vouches for it', async (t) => {
  const written = await writeTiny(t.testdir());
  await replaceTensor(written, safetensorsBytes('soft_prompt', 'F32', [4, 3], rows(3).bytes));
  await t.rejects(readPromptTensor(written.directory, await readManifest(written.directory)), {
    code: 'prompt_invalid',
    message: /rows have 3 values, its manifest's model has 4/,
  });
});

t.test('missing, oversized and undecodable files are refused', async (t) => {
  const { directory, manifest } = await writeTiny(t.testdir());
  await rm(join(directory, 'prompt.safetensors'));
  await t.rejects(readPromptTensor(directory, manifest), { code: 'file_unreadable' });
  const path = join(directory, 'prompt.json');
  await writeFile(path, Buffer.from([0x7b, 0xff, 0x7d]));
  await t.rejects(readManifest(directory), { code: 'prompt_invalid', message: /not UTF-8/ });
  await writeFile(path, Buffer.alloc(5 * 2 ** 20, ' '));
  await t.rejects(readManifest(directory), { code: 'prompt_invalid', message: /the most is/ });
  await rm(path);
  await t.rejects(readManifest(directory), { code: 'file_unreadable' });
});
