import { createGraph } from '../../graph/builder.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { Attended, KeysAndValues } from '../../model/transformer/attention.ts';
import { completeLayer, keysAndValues, type LayerContext, normaliseInput } from '../../model/transformer/layer.ts';
import { rotationTables } from '../../model/transformer/rotation.ts';
import { type Span, type Stretch, wholeStretch } from '../../model/transformer/stretch.ts';
import { transformerWeights } from '../../model/transformer/weights.ts';

export interface LayerShape {
  rows: number;
  /** Of each row, padding on the right included. */
  tokens: number;
  /** Positions in front that all rows share, at least 1. */
  prefix: number;
}

/**
 * One layer as a graph of its own, so that only its weights are in memory: `prefix` `[prefix, hiddenSize]` and `x` `[rows · tokens, hiddenSize]`
 * become `nextPrefix` and `next`. Behind the last layer stands the final norm, and there is no `nextPrefix`.
 */
export function layerGraph(checkpoint: Checkpoint, layer: number, { rows, tokens, prefix }: LayerShape): Uint8Array {
  const graph = createGraph();
  const { config } = checkpoint;
  const weights = transformerWeights(graph, checkpoint, 'float32');
  const layers: LayerContext = { graph, config, weights };
  const stretches = { graph, config, tables: rotationTables(graph, config, prefix + tokens, 'float32') };
  const spans = { prefix: { first: 0, tokens: prefix }, rows: { first: prefix, tokens } };
  const prefixStretch = wholeStretch(stretches, 1, spans.prefix);
  const rowStretch = wholeStretch(stretches, rows, spans.rows);
  const window = config.slidingWindows[layer] ?? null;
  const seenBy = (at: Stretch, made: KeysAndValues, keys: Span): Attended => ({ ...made, mask: at.mask(window, keys) });

  function pass(
    x: Tensor,
    at: Stretch,
    span: Span,
    before: KeysAndValues | null,
  ): { made: KeysAndValues; next: Tensor } {
    const normalised = normaliseInput(layers, layer, x);
    const made = keysAndValues(layers, layer, normalised, at);
    const own = seenBy(at, made, span);
    const seen = before === null ? null : seenBy(at, before, spans.prefix);
    return { made, next: completeLayer(layers, layer, { x, normalised, at }, own, seen) };
  }

  const shared = pass(graph.input('prefix', [prefix, config.hiddenSize], 'float32'), prefixStretch, spans.prefix, null);
  const { next } = pass(
    graph.input('x', [rows * tokens, config.hiddenSize], 'float32'),
    rowStretch,
    spans.rows,
    shared.made,
  );
  const isLast = layer === config.layers - 1;
  graph.output(isLast ? weights.normalise(next, 'model.norm') : next, 'next');
  if (!isLast) graph.output(shared.next, 'nextPrefix');
  return graph.build();
}
