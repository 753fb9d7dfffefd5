import { createGraph } from '../../../graph/builder.ts';
import type { Checkpoint } from '../../../model/checkpoint.ts';
import { createTransformer } from '../../../model/transformer/transformer.ts';

export interface ScoreShape {
  rows: number;
  /** Tokens a row, padding on the right included. */
  tokens: number;
  /** Positions that are scored, of all rows together. */
  scored: number;
}

/** Names of the graph's inputs and output. */
export const scoreNames = { tokens: 'tokens', positions: 'positions', targets: 'targets', scores: 'scores' } as const;

/**
 * log p(target | what stands before it) `[scored]` float32: logit − log Σ exp(logits), the logits being made at the scored positions only.
 * Inputs, all int64: `tokens` `[rows, tokens]`; `positions` `[scored]`, indices into the rows laid end to end; `targets` `[scored]`, the
 * token that comes next, as an index into the logits laid end to end: scored index · vocabSize + token id.
 */
export function scoreGraph(checkpoint: Checkpoint, { rows, tokens, scored }: ScoreShape): Uint8Array {
  const graph = createGraph();
  const transformer = createTransformer(graph, checkpoint, { positions: tokens });
  const states = transformer.states({
    prefix: null,
    embeddings: transformer.embed(graph.input(scoreNames.tokens, [rows, tokens], 'int64')),
    lastIndices: null,
  });
  const positions = graph.input(scoreNames.positions, [scored], 'int64');
  const targets = graph.input(scoreNames.targets, [scored], 'int64');
  const logits = transformer.unembed(graph.gather(states, positions, 0));
  const chosen = graph.gather(graph.reshape(logits, [scored * checkpoint.config.vocabSize]), targets, 0);
  const total = graph.reshape(graph.logSumExp(logits, [-1]), [scored]);
  graph.output(graph.sub(chosen, total), scoreNames.scores);
  return graph.build();
}
