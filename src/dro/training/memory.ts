import type { ModelConfig } from '../../model/config.ts';
import type { TrainingShape } from './training-graph.ts';

/** Sizes that decide how much memory one run of a training graph needs. */
export interface MemoryShape extends Pick<TrainingShape, 'rows' | 'tokens' | 'positions' | 'alternatives'> {
  /** Template and soft prompt: what all rows share. */
  prefixTokens: number;
  /** Graphs of one length each (`TrainingSettings.buckets`), which keep what they once took. */
  sessions: number;
  /** Whether there are terms of cross-entropy: they need the output head. */
  judgesAnswers: boolean;
}

const BYTES = 4;
/** The runtime and Node: what was left over in the measurements of docs/training.md. */
const PROCESS_BYTES = 150e6;
/** Of each logit: itself, e^(z − log Σ e^z) and its product with the cotangent. */
const COPIES_OF_LOGITS = 3;

/**
 * Bytes that the steps need at their peak in float32, as far as they must be there: the checkpoint's own pages are mapped and can be dropped.
 *
 *   4 S (W + Σ_layers (N · (c + 2 a (P + T)) + P · (c + 2 a P)) + 3 J V + J K h) + 150 MB,   c = 2 h + q + 2 v + 3 m
 *
 * S sessions. W: the largest weight (the head, where answers are judged): they are cast to float32 one at a time (`castForEachReader`).
 * N = rows · T and P: tokens of the rows and of the prefix. What a layer keeps of each for the backward pass: its two residual
 * states (h each), rotated queries (q), keys and values (v each), three activations of the MLP (m each), and for each of `a` heads the
 * probabilities over all it sees, joined and apart. J judged positions with V logits each, and K rows of the head.
 * The weights are frozen, so what the linear layers take in is not kept.
 */
export function trainingBytes(config: ModelConfig, shape: MemoryShape): number {
  const { hiddenSize, heads, kvHeads, headDim, intermediateSize, layers, vocabSize } = config;
  const { rows, tokens, prefixTokens, positions, alternatives, sessions, judgesAnswers } = shape;
  const kept = 2 * hiddenSize + heads * headDim + 2 * kvHeads * headDim + 3 * intermediateSize;
  const ofRows = rows * tokens * (kept + 2 * heads * (prefixTokens + tokens));
  const ofPrefix = prefixTokens * (kept + 2 * heads * prefixTokens);
  const largestWeight = hiddenSize * (judgesAnswers ? vocabSize : intermediateSize);
  const ofAnswers = judgesAnswers ? positions * (COPIES_OF_LOGITS * vocabSize + alternatives * hiddenSize) : 0;
  return BYTES * sessions * (largestWeight + layers * (ofRows + ofPrefix) + ofAnswers) + PROCESS_BYTES;
}
