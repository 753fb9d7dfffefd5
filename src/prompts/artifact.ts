import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { readExactly, withFile } from '../formats/file-ranges.ts';
import {
  invalidPrompt,
  MANIFEST_FILE,
  MAX_MANIFEST_BYTES,
  manifestDigest,
  type PromptManifest,
  parseManifest,
  TENSOR_FILE,
} from './manifest.ts';
import { promptLabel } from './name.ts';
import type { StoredSoftPrompt } from './soft-prompt.ts';
import { MAX_TENSOR_FILE_BYTES, type PromptTensor, parsePromptTensor, toFloat32 } from './tensor.ts';

/** Reads the `prompt.json` of one version's directory. Throws `file_unreadable`, `prompt_invalid`. */
export async function readManifest(directory: string): Promise<PromptManifest> {
  const path = join(directory, MANIFEST_FILE);
  const bytes = await readBounded(path, MAX_MANIFEST_BYTES);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalidPrompt(path, 'it is not UTF-8', error);
  }
  return parseManifest(text, path);
}

/**
 * Reads the tensor of one version's directory and holds it against the manifest: digest, hidden size, dtype, finite values.
 * The bytes that are checked are those that are returned. Throws `file_unreadable`, `digest_mismatch`, `prompt_invalid`.
 */
export async function readPromptTensor(directory: string, manifest: PromptManifest): Promise<PromptTensor> {
  const path = join(directory, TENSOR_FILE);
  const bytes = await readBounded(path, MAX_TENSOR_FILE_BYTES);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== manifest.tensor.sha256) {
    throw new PreambleError('digest_mismatch', `${path} is not the tensor of its manifest: its SHA-256 is ${digest}.`, {
      action: 'Make it again, or get a fresh copy.',
    });
  }
  const tensor = parsePromptTensor(bytes, path);
  const { hiddenSize } = manifest.model;
  if (tensor.hiddenSize !== hiddenSize) {
    throw invalidPrompt(path, `its rows have ${tensor.hiddenSize} values, its manifest's model has ${hiddenSize}`);
  }
  return tensor;
}

export function toSoftPrompt(manifest: PromptManifest, tensor: PromptTensor): StoredSoftPrompt {
  return {
    label: promptLabel(manifest.name, manifest.version),
    digest: manifestDigest(manifest),
    tokens: tensor.tokens,
    hiddenSize: tensor.hiddenSize,
    values: toFloat32(tensor),
    stored: { dtype: tensor.dtype, bytes: tensor.bytes },
  };
}

async function readBounded(path: string, maximum: number): Promise<Uint8Array> {
  return await withFile(path, async (file, size) => {
    if (size > maximum) throw invalidPrompt(path, `it has ${size} bytes, the most is ${maximum}`);
    const bytes = new Uint8Array(size);
    if (!(await readExactly(file, bytes, 0))) throw invalidPrompt(path, 'it ended while being read');
    return bytes;
  });
}
