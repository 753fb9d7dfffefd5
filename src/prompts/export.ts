import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PreambleError, toError } from '../errors.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { systemCode } from '../model/obtain/file-errors.ts';
import { readPromptTensor } from './artifact.ts';
import { PEFT_CONFIG_FILE, PEFT_TENSOR_FILE, PEFT_TENSOR_NAME, peftConfigFor } from './peft.ts';
import type { PromptVersion } from './registry.ts';
import { TENSOR_NAME, toFloat32 } from './tensor.ts';

/** `safetensors`: one file with the tensor `soft_prompt`. `peft`: an adapter directory that PEFT loads. */
export const exportFormats = ['safetensors', 'peft'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Writes a prompt for other programs to `path`, which must not exist. Throws `file_unwritable`, and what reading the prompt throws. */
export async function exportPrompt(prompt: PromptVersion, format: ExportFormat, path: string): Promise<void> {
  if ((await stat(path).catch(() => null)) !== null) {
    throw new PreambleError('file_unwritable', `${path} exists already.`, { action: 'Name another place with --out.' });
  }
  const tensor = await readPromptTensor(prompt.directory, prompt.manifest);
  const shape = [tensor.tokens, tensor.hiddenSize];
  const metadata = { prompt: prompt.label, digest: prompt.digest };
  await writing(path, async () => {
    await mkdir(dirname(resolve(path)), { recursive: true });
    if (format === 'safetensors') {
      const entry = { name: TENSOR_NAME, dtype: tensor.dtype, shape, bytes: () => [tensor.bytes] };
      return await writeSafetensors(path, [entry], metadata);
    }
    const values = toFloat32(tensor);
    // PEFT keeps prompt rows in float32 and loads them as they are.
    const bytes = new Uint8Array(values.buffer);
    const config = peftConfigFor({
      modelId: prompt.manifest.model.id,
      tokens: tensor.tokens,
      hiddenSize: tensor.hiddenSize,
    });
    const staging = `${resolve(path)}.${randomUUID()}.partial`;
    try {
      await mkdir(staging);
      const entry = { name: PEFT_TENSOR_NAME, dtype: 'F32' as const, shape, bytes: () => [bytes] };
      await writeSafetensors(join(staging, PEFT_TENSOR_FILE), [entry], { format: 'pt' });
      await writeFile(join(staging, PEFT_CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
      await rename(staging, path);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  });
}

async function writing(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof PreambleError || systemCode(error) === undefined) throw error;
    throw new PreambleError('file_unwritable', `Cannot write ${path}: ${toError(error).message}.`, {
      action: 'Check the free space and the permissions of its directory, or name another place with --out.',
      cause: error,
    });
  }
}
