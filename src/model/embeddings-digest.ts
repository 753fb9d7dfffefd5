import { join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { readSafetensorsHeader } from '../formats/safetensors.ts';
import { sha256OfFile } from './obtain/file-digest.ts';
import { readShardIndex } from './shard-index.ts';

export const EMBEDDINGS_TENSOR = 'model.embed_tokens.weight';

/**
 * SHA-256 of the bytes of `model.embed_tokens.weight` ([vocabSize, hiddenSize]) as stored in a Hugging Face directory, in one file or
 * in shards, as 64 hex digits: what a soft prompt is bound to. Streams.
 * Throws `file_unreadable`, `format_invalid`, or `model_unsupported` where the checkpoint has no such tensor.
 */
export async function embeddingsDigest(directory: string): Promise<string> {
  const shards = await readShardIndex(directory);
  const file = shards === null ? 'model.safetensors' : shards.get(EMBEDDINGS_TENSOR);
  if (file === undefined) throw noEmbeddings(directory);
  return await embeddingsDigestIn(directory, file);
}

/** The same where it is known which file of the directory holds the matrix. */
export async function embeddingsDigestIn(directory: string, file: string): Promise<string> {
  const path = join(directory, file);
  const location = (await readSafetensorsHeader(path)).tensors.get(EMBEDDINGS_TENSOR);
  if (location === undefined) throw noEmbeddings(directory);
  return await sha256OfFile(path, { start: location.offset, length: location.length });
}

function noEmbeddings(directory: string): PreambleError {
  return new PreambleError('model_unsupported', `The checkpoint in ${directory} has no tensor ${EMBEDDINGS_TENSOR}.`, {
    action: 'Give a Llama, Mistral or Qwen checkpoint in Hugging Face form.',
  });
}
