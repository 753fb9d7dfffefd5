import type { ModelConfig } from '../../model/config.ts';
import { rotaryTables } from '../../model/transformer/rotary.ts';

/** Cosines and sines of chosen positions, `[positions, headDim / 2]` float32 each. */
export interface RotaryRows {
  cos: Float32Array;
  sin: Float32Array;
}

/** One row's new positions, and how long its sequence is with them. */
interface Stretch {
  first: number;
  positions: number;
}

export function createRotaryRows(
  config: ModelConfig,
  contextLength: number,
): (stretches: readonly Stretch[]) => RotaryRows {
  const width = config.headDim / 2;
  const table = rotaryTables(config, contextLength);
  const original =
    config.ropeScaling.kind === 'dynamic' ? config.ropeScaling.originalMaxPositions : Number.POSITIVE_INFINITY;

  return (stretches) => {
    const total = stretches.reduce((sum, stretch) => sum + stretch.positions, 0);
    const rows = { cos: new Float32Array(total * width), sin: new Float32Array(total * width) };
    let at = 0;
    for (const { first, positions } of stretches) {
      const end = first + positions;
      // Dynamic scaling stretches the frequencies with the sequence once it is longer than the checkpoint was made for.
      const source = end > original ? rotaryTables(config, end) : table;
      for (const kind of ['cos', 'sin'] as const)
        rows[kind].set(source[kind].subarray(first * width, end * width), at * width);
      at += positions;
    }
    return rows;
  };
}
