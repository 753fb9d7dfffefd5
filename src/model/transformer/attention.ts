import type { GraphBuilder } from '../../graph/builder.ts';
import { staticDimension, type Tensor } from '../../graph/tensor.ts';
import type { ModelConfig } from '../config.ts';

/** Keys and values of a stretch of tokens, RoPE applied: `[kvHeads, rows, tokens, headDim]` each. */
export interface KeysAndValues {
  keys: Tensor;
  values: Tensor;
}

/** What queries may see of one stretch; the mask broadcasts to `[kvHeads, rows, groups · queries, keys]`, null hides nothing. */
export interface Attended extends KeysAndValues {
  mask: Tensor | null;
}

/**
 * Grouped-query attention of `queries` `[kvHeads, rows, groups · tokens, headDim]` over each row's own stretch and, if given, one
 * prefix that all rows share (`[kvHeads, 1, prefix, headDim]`). Gives the shape of the queries.
 *
 * The prefix' keys are never repeated: the queries of all rows are folded into one product against them, and the two sets of scores
 * meet before the softmax, which makes the result equal to attention over the joined keys.
 */
export function attend(
  graph: GraphBuilder,
  { headDim }: ModelConfig,
  queries: Tensor,
  own: Attended,
  prefix: Attended | null,
): Tensor {
  const scale = 1 / Math.sqrt(headDim);
  const masked = (scores: Tensor, mask: Tensor | null) => (mask === null ? scores : graph.add(scores, mask));
  const ownScores = masked(graph.matmul(queries, own.keys, { transposeB: true, scale }), own.mask);
  if (prefix === null) return graph.matmul(graph.softmax(ownScores, -1), own.values);

  const kvHeads = staticDimension(queries.shape, 0);
  const rows = staticDimension(queries.shape, 1);
  const rowQueries = staticDimension(queries.shape, 2);
  const prefixTokens = staticDimension(prefix.keys.shape, 2);
  const ownTokens = staticDimension(own.keys.shape, 2);
  const fold = (x: Tensor, width: number) => graph.reshape(x, [kvHeads, rows * rowQueries, width]);
  const unfold = (x: Tensor, width: number) => graph.reshape(x, [kvHeads, rows, rowQueries, width]);
  const flat = (x: Tensor) => graph.reshape(x, [kvHeads, prefixTokens, headDim]);

  const folded = graph.matmul(fold(queries, headDim), flat(prefix.keys), { transposeB: true, scale });
  const prefixScores = masked(unfold(folded, prefixTokens), prefix.mask);
  const probabilities = graph.softmax(graph.concat([prefixScores, ownScores], -1), -1);
  const [onPrefix, onOwn] = graph.split(probabilities, [prefixTokens, ownTokens], -1);
  if (onPrefix === undefined || onOwn === undefined) throw new TypeError('a split in two gives two parts');
  const fromPrefix = unfold(graph.matmul(fold(onPrefix, prefixTokens), flat(prefix.values)), headDim);
  return graph.add(fromPrefix, graph.matmul(onOwn, own.values));
}
