import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../errors.ts';
import { readSafetensorsHeader } from '../formats/safetensors.ts';
import { sha256OfFile } from './obtain/file-digest.ts';

export const EMBEDDINGS_TENSOR = 'model.embed_tokens.weight';
/** An index lists each tensor once, about 100 bytes each: room for 160,000. */
const MAX_INDEX_BYTES = 16 * 2 ** 20;

const shardIndex = Compile(Type.Object({ weight_map: Type.Record(Type.String(), Type.String()) }));

/**
 * SHA-256 of the bytes of `model.embed_tokens.weight` ([vocabSize, hiddenSize]) as stored in a Hugging Face directory, in one file or
 * in shards, as 64 hex digits: what a soft prompt is bound to. Streams.
 * Throws `file_unreadable`, `format_invalid`, or `model_unsupported` where the checkpoint has no such tensor.
 */
export async function embeddingsDigest(directory: string): Promise<string> {
  const path = join(directory, await fileOfEmbeddings(directory));
  const location = (await readSafetensorsHeader(path)).tensors.get(EMBEDDINGS_TENSOR);
  if (location === undefined) throw noEmbeddings(directory);
  return await sha256OfFile(path, { start: location.offset, length: location.length });
}

async function fileOfEmbeddings(directory: string): Promise<string> {
  const path = join(directory, 'model.safetensors.index.json');
  const stats = await stat(path).catch(() => null);
  if (stats === null) return 'model.safetensors';
  if (stats.size > MAX_INDEX_BYTES) throw brokenIndex(path, 'it is larger than 16 MiB');
  let index: unknown;
  try {
    index = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw brokenIndex(path, 'it is not JSON', error);
  }
  if (!shardIndex.Check(index)) throw brokenIndex(path, 'it has no weight_map');
  const file = index.weight_map[EMBEDDINGS_TENSOR];
  if (file === undefined) throw noEmbeddings(directory);
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/.test(file))
    throw brokenIndex(path, 'it points outside its directory');
  return file;
}

function noEmbeddings(directory: string): PreambleError {
  return new PreambleError('model_unsupported', `The checkpoint in ${directory} has no tensor ${EMBEDDINGS_TENSOR}.`, {
    action: 'Give a Llama, Mistral or Qwen checkpoint in Hugging Face form.',
  });
}

function brokenIndex(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${path} is not a valid index: ${what}.`, {
    action: 'Fetch the model again.',
    cause,
  });
}
