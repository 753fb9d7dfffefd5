/** Added to the score of what a position must not see: far below any score, yet finite, so that no 0 · ∞ arises in a gradient. */
const HIDDEN = -1e9;

export interface MaskShape {
  /** Positions of the first query and the first key in the sequence. */
  firstQuery: number;
  firstKey: number;
  queries: number;
  keys: number;
  /** Tokens each query sees, itself included; null for all before it. */
  window: number | null;
}

/** Additive causal mask `[queries, keys]`, row-major; null where everything is visible. */
export function attentionMask({ firstQuery, firstKey, queries, keys, window }: MaskShape): Float64Array | null {
  const mask = new Float64Array(queries * keys);
  for (let query = 0; query < queries; query++) {
    for (let key = 0; key < keys; key++) {
      const distance = firstQuery + query - (firstKey + key);
      const visible = distance >= 0 && (window === null || distance < window);
      if (!visible) mask[query * keys + key] = HIDDEN;
    }
  }
  return mask.some((value) => value !== 0) ? mask : null;
}
