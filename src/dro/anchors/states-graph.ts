import { createGraph } from '../../graph/builder.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import { createTransformer } from '../../model/transformer/transformer.ts';

export interface StatesShape {
  rows: number;
  /** Tokens a row, padding on the right included. */
  tokens: number;
  /** Positions that stand before every row; 0 for none. */
  prefix: number;
}

/** Names of the graph's inputs and output. */
export const statesNames = { tokens: 'tokens', last: 'last', prefix: 'prefix', states: 'states' } as const;

/**
 * Final-layer states after the norm `[rows, hiddenSize]` float32 of one position a row. Inputs: `tokens` `[rows, tokens]` int64, `last`
 * `[rows]` int64, and, if there is one, `prefix` `[prefix, hiddenSize]` float32.
 */
export function statesGraph(checkpoint: Checkpoint, { rows, tokens, prefix }: StatesShape): Uint8Array {
  const graph = createGraph();
  const transformer = createTransformer(graph, checkpoint, { positions: prefix + tokens });
  const ids = graph.input(statesNames.tokens, [rows, tokens], 'int64');
  const states = transformer.states({
    prefix: prefix === 0 ? null : graph.input(statesNames.prefix, [prefix, checkpoint.config.hiddenSize], 'float32'),
    embeddings: transformer.embed(ids),
    lastIndices: graph.input(statesNames.last, [rows], 'int64'),
  });
  graph.output(states, statesNames.states);
  return graph.build();
}
