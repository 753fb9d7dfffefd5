import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { decodeBf16, decodeF16 } from '../formats/half-precision.ts';
import type { OnnxDataType } from '../formats/onnx.ts';
import type { Checkpoint } from './checkpoint.ts';

const TENSOR = 'model.embed_tokens.weight';

/** Token embeddings, read a row at a time: a step needs a handful of the matrix's rows, which the page cache holds. */
export interface EmbeddingTable {
  /** Writes the rows of `tokens` to `target` `[positions, hiddenSize]` from position `at` on. */
  read(tokens: readonly number[], target: Float32Array, at: number): void;
  /** How the checkpoint stores them. */
  readonly dtype: OnnxDataType;
  readonly hiddenSize: number;
  close(): void;
}

export function openEmbeddingTable(checkpoint: Checkpoint): EmbeddingTable {
  const { vocabSize, hiddenSize } = checkpoint.config;
  const tensor = checkpoint.tensor(TENSOR);
  const bytesPerRow = tensor.length / vocabSize;
  const row = new ArrayBuffer(bytesPerRow);
  const file = openSync(join(checkpoint.directory, tensor.file), 'r');

  function decode(into: Float32Array): void {
    if (tensor.dtype === 'bfloat16') decodeBf16(new Uint16Array(row), into);
    else if (tensor.dtype === 'float16') decodeF16(new Uint16Array(row), into);
    else into.set(new Float32Array(row));
  }

  return {
    dtype: tensor.dtype,
    hiddenSize,
    read(tokens, target, at) {
      tokens.forEach((token, index) => {
        if (!Number.isInteger(token) || token < 0 || token >= vocabSize) {
          throw new PreambleError('invalid_request', `Token id ${token} is outside the vocabulary of ${vocabSize}.`, {
            action: 'Send ids of this model’s tokenizer.',
            param: 'prompt',
          });
        }
        readSync(file, new Uint8Array(row), 0, bytesPerRow, tensor.offset + token * bytesPerRow);
        decode(target.subarray((at + index) * hiddenSize, (at + index + 1) * hiddenSize));
      });
    },
    close: () => closeSync(file),
  };
}
