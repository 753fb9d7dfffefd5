import type { ModelConfig } from '../../model/config.ts';

/** What a step adds to scores that must not count. Finite, so that a row with nothing to see yields no NaN. */
const MASKED = -1e30;

/** Additive mask among the new positions, `[groups · positions, positions]` float32: each sees itself and, within its window, what came before. */
export function newMask(config: ModelConfig, positions: number, window: number | null): Float32Array {
  const groups = config.heads / config.kvHeads;
  const mask = new Float32Array(groups * positions * positions);
  for (let query = 0; query < groups * positions; query++) {
    const position = query % positions;
    for (let other = 0; other < positions; other++) {
      const visible = other <= position && (window === null || position - other < window);
      if (!visible) mask[query * positions + other] = MASKED;
    }
  }
  return mask;
}

/**
 * Additive mask over the cache, `[batch, 1, groups · positions, capacity]` float32.
 *
 * @param lengths positions in the cache of each row
 */
export function pastMask(
  config: ModelConfig,
  lengths: readonly number[],
  positions: number,
  capacity: number,
  window: number | null,
): Float32Array {
  const queries = (config.heads / config.kvHeads) * positions;
  const mask = new Float32Array(lengths.length * queries * capacity);
  lengths.forEach((length, row) => {
    for (let query = 0; query < queries; query++) {
      const start = (row * queries + query) * capacity;
      mask.fill(MASKED, start + length, start + capacity);
      const firstVisible = window === null ? 0 : length + (query % positions) - window + 1;
      if (firstVisible > 0) mask.fill(MASKED, start, start + Math.min(firstVisible, length));
    }
  });
  return mask;
}
