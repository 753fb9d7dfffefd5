/** The next-token distribution that a position is trained toward; probabilities sum to 1. */
export interface TargetDistribution {
  readonly ids: readonly number[];
  readonly probabilities: readonly number[];
}

/** One query with the answer that it is trained on. */
export interface TrainingRow {
  readonly harmful: boolean;
  /** What follows the prefix that all queries share: the query, generation prompt included. */
  readonly query: readonly number[];
  /** The answer's tokens, its end token included where it ended by itself; empty where only the query's state counts. */
  readonly answer: readonly number[];
  /** One an answer token; null trains toward the answer's own tokens. */
  readonly targets: readonly TargetDistribution[] | null;
  /** `[hiddenSize]`: the query's last state under the textual prompt; needed by DRO's terms. */
  readonly reference: Float32Array | null;
}

/** Tokens that are fed: what the answer's last token would be followed by is not asked. */
export function fedTokens({ query, answer }: TrainingRow): number {
  return query.length + Math.max(0, answer.length - 1);
}
