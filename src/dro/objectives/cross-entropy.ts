import type { GraphBuilder } from '../../graph/builder.ts';
import { staticDimension, type Tensor } from '../../graph/tensor.ts';

export interface CrossEntropyInputs {
  /** Final states at the positions that are judged, `[positions, hiddenSize]`. */
  states: Tensor;
  /** Their logits, `[positions, vocabSize]`. */
  logits: Tensor;
  /** Rows of the output head, `[positions, alternatives, hiddenSize]`: those of the tokens in the target distribution. */
  targetRows: Tensor;
  /** Target distribution, `[positions, alternatives]`: each row sums to 1; spare alternatives have 0. */
  targetProbabilities: Tensor;
}

/**
 * Cross-entropy of each position's next token, `[positions]`:
 *
 *   H(p, q) = log Σ_v exp(z_v) − Σ_k p_k z_k
 *
 * With one alternative of probability 1 it is the negative log-likelihood of a token, the loss of vanilla prompt tuning (vPT). With the
 * unprompted model's most probable tokens it is KL(unprompted ‖ prompted) up to the entropy of the target, which does not depend on the
 * prompt. The targets' logits are computed from their own rows of the head, so that no gradient is scattered into the vocabulary.
 */
export function crossEntropy(
  graph: GraphBuilder,
  { states, logits, targetRows, targetProbabilities }: CrossEntropyInputs,
): Tensor {
  const positions = staticDimension(states.shape, 0);
  const hiddenSize = staticDimension(states.shape, 1);
  const column = graph.reshape(states, [positions, hiddenSize, 1]);
  const targetLogits = graph.reshape(graph.matmul(targetRows, column), targetProbabilities.shape);
  const expected = graph.sum(graph.mul(targetProbabilities, targetLogits), [-1]);
  return graph.sub(graph.logSumExp(logits, [-1]), expected);
}

/** Σ weight · value over the positions; weights that sum to 1 make it a mean, and 0 leaves padding out. */
export function weightedSum(graph: GraphBuilder, values: Tensor, weights: Tensor): Tensor {
  return graph.sum(graph.mul(values, weights), [0]);
}
