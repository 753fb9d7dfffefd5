import { createGraph } from '../../graph/builder.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { createTransformer } from './transformer.ts';

export interface ForwardShape {
  rows: number;
  /** Tokens a row, padding on the right included. */
  tokens: number;
  /** Embeddings that stand before every row; 0 for none. */
  prefix?: number;
}

/** Names of the forward graph's inputs and output. */
export const forwardNames = { tokens: 'tokens', prefix: 'prefix', logits: 'logits' } as const;

/**
 * Logits `[rows · tokens, vocabSize]` float32 of every position. Inputs: `tokens` `[rows, tokens]` int64 and, if asked for,
 * `prefix` `[prefix, hiddenSize]` float32.
 */
export function forwardGraph(checkpoint: Checkpoint, { rows, tokens, prefix = 0 }: ForwardShape): Uint8Array {
  const graph = createGraph();
  const transformer = createTransformer(graph, checkpoint, { positions: prefix + tokens });
  const ids = graph.input(forwardNames.tokens, [rows, tokens], 'int64');
  const states = transformer.states({
    prefix: prefix === 0 ? null : graph.input(forwardNames.prefix, [prefix, checkpoint.config.hiddenSize], 'float32'),
    embeddings: transformer.embed(ids),
    lastIndices: null,
  });
  graph.output(transformer.unembed(states), forwardNames.logits);
  return graph.build();
}
