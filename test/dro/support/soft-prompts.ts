import type { Checkpoint } from '../../../src/model/checkpoint.ts';
import { openEmbeddingTable } from '../../../src/model/embedding-table.ts';
import type { Recording } from './recorded.ts';

/** The embeddings of a text's tokens, `[ids, hiddenSize]`: what training starts from. */
export function startOf(checkpoint: Checkpoint, ids: readonly number[]): Float32Array {
  const table = openEmbeddingTable(checkpoint);
  const rows = new Float32Array(ids.length * checkpoint.config.hiddenSize);
  table.read(ids, rows, 0);
  table.close();
  return rows;
}

/** Away from the start, where the gradients of all terms differ from 0; the recording says how far. */
export function farFromStart(checkpoint: Checkpoint, { text, move }: Recording): Float64Array {
  const { hiddenSize } = checkpoint.config;
  return Float64Array.from(startOf(checkpoint, text), (value, index) => {
    const [token, column] = [Math.floor(index / hiddenSize), index % hiddenSize];
    return value + (move[token] ?? 0) * Math.cos(column);
  });
}
