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

export interface ArtifactBytes {
  /** `prompt.json` */
  readonly manifest: Uint8Array;
  /** `prompt.safetensors` */
  readonly tensor: Uint8Array;
}

/** Reads the `prompt.json` of one version's directory. Throws `file_unreadable`, `prompt_invalid`. */
export async function readManifest(directory: string): Promise<PromptManifest> {
  const path = join(directory, MANIFEST_FILE);
  return manifestFrom(await readBounded(path, MAX_MANIFEST_BYTES), path);
}

/** The manifest in the bytes of a `prompt.json`, wherever they lay; `place` is named in errors. Throws `prompt_invalid`. */
export function manifestFrom(bytes: Uint8Array, place: string): PromptManifest {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalidPrompt(place, 'it is not UTF-8', error);
  }
  return parseManifest(text, place);
}

/**
 * Reads the tensor of one version's directory and holds it against the manifest.
 * The bytes that are checked are those that are returned. Throws `file_unreadable`, `digest_mismatch`, `prompt_invalid`.
 */
export async function readPromptTensor(directory: string, manifest: PromptManifest): Promise<PromptTensor> {
  const path = join(directory, TENSOR_FILE);
  return tensorFrom(await readBounded(path, MAX_TENSOR_FILE_BYTES), manifest, path);
}

/**
 * The tensor in the bytes of a `prompt.safetensors`, held against its manifest: digest, hidden size, dtype, finite values. `place` is named in
 * errors. Throws `digest_mismatch`, `prompt_invalid`.
 */
export function tensorFrom(bytes: Uint8Array, manifest: PromptManifest, place: string): PromptTensor {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== manifest.tensor.sha256) {
    throw new PreambleError(
      'digest_mismatch',
      `${place} is not the tensor of its manifest: its SHA-256 is ${digest}.`,
      {
        action: 'Make it again, or get a fresh copy.',
      },
    );
  }
  const tensor = parsePromptTensor(bytes, place);
  const { hiddenSize } = manifest.model;
  if (tensor.hiddenSize !== hiddenSize) {
    throw invalidPrompt(place, `its rows have ${tensor.hiddenSize} values, its manifest's model has ${hiddenSize}`);
  }
  return tensor;
}

/** The bytes of both files of a version, as they are. Throws `file_unreadable`, `prompt_invalid`. */
export async function readArtifactBytes(directory: string): Promise<ArtifactBytes> {
  return {
    manifest: await readBounded(join(directory, MANIFEST_FILE), MAX_MANIFEST_BYTES),
    tensor: await readBounded(join(directory, TENSOR_FILE), MAX_TENSOR_FILE_BYTES),
  };
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
