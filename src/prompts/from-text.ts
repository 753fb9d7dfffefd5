import { join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { readExactly, withFile } from '../formats/file-ranges.ts';
import { decodeF16 } from '../formats/half-precision.ts';
import { openCheckpoint } from '../model/checkpoint.ts';
import { EMBEDDINGS_TENSOR } from '../model/embeddings-digest.ts';
import { loadTokenizer } from '../model/tokenizer/tokenizer.ts';
import type { PromptContent } from './artifact-write.ts';
import { MAX_TEXT_LENGTH } from './manifest.ts';
import { identifyModel, toPromptModel } from './model-identity.ts';
import type { PromptPosition } from './soft-prompt.ts';
import { MAX_VIRTUAL_TOKENS, type PromptTensor } from './tensor.ts';

export interface FromTextOptions {
  name: string;
  version: string;
  text: string;
  position: PromptPosition;
}

export interface MadePrompt {
  content: PromptContent;
  tensor: PromptTensor;
}

/**
 * The prompt whose rows are the token embeddings of a text, in the checkpoint's own dtype (F16 is widened to F32), so that the model
 * computes the same as under the text itself. `directory` is a Hugging Face model.
 * Throws `invalid_request` for an unusable text, and what reading the model throws.
 */
export async function promptFromText(directory: string, options: FromTextOptions): Promise<MadePrompt> {
  const { name, version, text, position } = options;
  if (text.length === 0 || text.length > MAX_TEXT_LENGTH || !text.isWellFormed()) {
    throw unusable(`it must have 1 to ${MAX_TEXT_LENGTH} characters of well-formed Unicode`);
  }
  const tokenizer = await loadTokenizer(directory);
  const identity = await identifyModel(directory, { tokenizer });
  // It stands within a message, behind the template's control tokens: not the start of the whole text, and no control tokens in it.
  const ids = tokenizer.encodeSection(text, false, MAX_VIRTUAL_TOKENS);
  if (ids.length === 0 || ids.length > MAX_VIRTUAL_TOKENS) {
    throw unusable(`it must have 1 to ${MAX_VIRTUAL_TOKENS} tokens`);
  }
  const tensor = await readEmbeddingRows(directory, ids);
  return { content: { name, version, model: toPromptModel(identity), position, text, evaluation: [] }, tensor };
}

/** Rows of `model.embed_tokens.weight`, one for each id, read one by one: the whole matrix of an 8B model has a gigabyte. */
async function readEmbeddingRows(directory: string, ids: readonly number[]): Promise<PromptTensor> {
  const checkpoint = await openCheckpoint(directory);
  const { vocabSize, hiddenSize } = checkpoint.config;
  const { file, location } = checkpoint.tensor(EMBEDDINGS_TENSOR);
  const { dtype } = location;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw new PreambleError('model_unsupported', `The embeddings in ${directory} are ${dtype}, not F32, F16 or BF16.`, {
      action: 'Give a checkpoint whose embeddings are not quantised.',
    });
  }
  const rowBytes = location.length / vocabSize;
  const rows = new Uint8Array(ids.length * rowBytes);
  await withFile(join(directory, file), async (handle) => {
    for (const [position, id] of ids.entries()) {
      if (id >= vocabSize) throw unusable(`its token ${id} has no embedding (the model has ${vocabSize})`);
      const row = rows.subarray(position * rowBytes, (position + 1) * rowBytes);
      if (!(await readExactly(handle, row, location.offset + id * rowBytes))) {
        throw new PreambleError('format_invalid', `${file} in ${directory} ended while being read.`);
      }
    }
  });
  const shape = { tokens: ids.length, hiddenSize };
  return dtype === 'F16' ? widen(rows, shape) : { dtype, ...shape, bytes: rows };
}

/** F16 rows as F32, exactly. */
export function widen(halves: Uint8Array, shape: { tokens: number; hiddenSize: number }): PromptTensor {
  const values = new Float32Array(shape.tokens * shape.hiddenSize);
  decodeF16(new Uint16Array(Uint8Array.from(halves).buffer), values);
  return { dtype: 'F32', ...shape, bytes: new Uint8Array(values.buffer) };
}

function unusable(what: string): PreambleError {
  return new PreambleError('invalid_request', `The text cannot become a prompt: ${what}.`, {
    action: 'Give another text with --text or --text-file.',
  });
}
