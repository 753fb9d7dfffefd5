import { floatData, hostTensor, openSession } from '../../graph/session.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { type LayerShape, layerGraph } from './layer-graph.ts';

/** Conversations under one prompt: embeddings that all begin with, and those of each. */
export interface StateInput {
  /** `[prefix, hiddenSize]` float32, at least one position. */
  prefix: Float32Array;
  /** `[tokens, hiddenSize]` float32 each. */
  rows: readonly Float32Array[];
}

/** Rows that pass a layer at once: some hundred positions keep two cores busy, and more only take memory. */
const ROWS_AT_ONCE = 16;

/**
 * States behind the final norm of every position of `rows`, in their order: `[positions, hiddenSize]` float32. One layer is in memory at a time,
 * in float32: what it takes is a layer's size, not the model's.
 */
export async function finalStates(
  checkpoint: Checkpoint,
  { prefix, rows }: StateInput,
  onLayer: (done: number, total: number) => void = () => {},
): Promise<Float32Array> {
  const { hiddenSize, layers } = checkpoint.config;
  const tokens = Math.max(...rows.map((row) => row.length / hiddenSize));
  const shape: LayerShape = { rows: Math.min(ROWS_AT_ONCE, rows.length), tokens, prefix: prefix.length / hiddenSize };
  const batches = padded(rows, shape.rows, tokens * hiddenSize);
  let before = prefix;
  for (let layer = 0; layer < layers; layer++) {
    const session = await openSession(layerGraph(checkpoint, layer, shape), { externalFolder: checkpoint.directory });
    let after = before;
    for (const [index, batch] of batches.entries()) {
      const results = await session.run({
        prefix: hostTensor(before, [shape.prefix, hiddenSize]),
        x: hostTensor(batch, [shape.rows * tokens, hiddenSize]),
      });
      batches[index] = floatData(results, 'next');
      if (layer < layers - 1) after = floatData(results, 'nextPrefix');
    }
    await session.release();
    before = after;
    onLayer(layer + 1, layers);
  }
  return joined(batches, rows, tokens * hiddenSize);
}

function padded(rows: readonly Float32Array[], rowsAtOnce: number, width: number): Float32Array[] {
  const batches: Float32Array[] = [];
  for (const [index, row] of rows.entries()) {
    if (index % rowsAtOnce === 0) batches.push(new Float32Array(rowsAtOnce * width));
    batches.at(-1)?.set(row, (index % rowsAtOnce) * width);
  }
  return batches;
}

function joined(batches: readonly Float32Array[], rows: readonly Float32Array[], width: number): Float32Array {
  const states = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  const rowsAtOnce = (batches[0]?.length ?? 0) / width;
  let at = 0;
  for (const [index, row] of rows.entries()) {
    const start = (index % rowsAtOnce) * width;
    states.set(batches[Math.floor(index / rowsAtOnce)]?.subarray(start, start + row.length) ?? [], at);
    at += row.length;
  }
  return states;
}
