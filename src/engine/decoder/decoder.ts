import type { KeyValueCache, KeyValueShape } from '../key-value-cache.ts';

export interface DecoderStep {
  cache: KeyValueCache;
  /** The rows `firstRow` to `firstRow + batch` of the cache take part. */
  firstRow: number;
  batch: number;
  /** New positions a row: any number for one row (prefill), one for several (decoding). */
  positions: number;
  /** `[batch, positions, hiddenSize]` float32: token embeddings, or a soft prompt's rows. */
  embeddings: Float32Array;
}

/** A causal language model that reads what came before from a key-value cache and adds what it computed to it. */
export interface Decoder {
  readonly shape: KeyValueShape;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly eosTokenIds: ReadonlySet<number>;
  /** Writes the embeddings of `tokens` to `target` from row `at` on. `[tokens, hiddenSize]` float32 */
  embed(tokens: readonly number[], target: Float32Array, at: number): void;
  /** Logits after the last new position of each row, `[batch, vocabSize]` float32; the new positions stand in the cache afterwards. */
  step(step: DecoderStep): Promise<Float32Array>;
  close(): Promise<void>;
}
