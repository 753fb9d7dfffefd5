import type { GraphBuilder } from '../../graph/builder.ts';
import { staticDimension, type Tensor } from '../../graph/tensor.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { Attended, KeysAndValues } from './attention.ts';
import { completeLayer, keysAndValues, type LayerContext, normaliseInput } from './layer.ts';
import { rotationTables } from './rotation.ts';
import { lastOfRows, type Span, type Stretch, wholeStretch } from './stretch.ts';
import { type TransformerWeights, transformerWeights } from './weights.ts';

export interface TransformerOptions {
  /** Longest sequence, prefix included; with dynamic RoPE scaling, the length that the angles are made for. */
  positions: number;
  /** What it computes in. float64 is slow and exists to check gradients. */
  dtype?: 'float32' | 'float64';
}

export interface TransformerInput {
  /** Embeddings that stand before every row, `[prefix, hiddenSize]`; computed once for all rows. */
  prefix: Tensor | null;
  /** Embeddings `[rows, tokens, hiddenSize]`, padded on the right. */
  embeddings: Tensor;
  /** `[rows]` int64: only this position's state is wanted of each row (its last real token). Null asks for all positions. */
  lastIndices: Tensor | null;
}

/** A checkpoint's transformer inside one graph, differentiable with respect to the embeddings. */
export interface Transformer extends Pick<TransformerWeights, 'embed' | 'unembed' | 'unembedRows'> {
  /** States after the final norm: `[rows, hiddenSize]` with `lastIndices`, else `[rows · tokens, hiddenSize]`. */
  states(input: TransformerInput): Tensor;
}

/** Sizes are fixed when the graph is built, so that masks and positions are constants: one graph a batch shape. */
export function createTransformer(
  graph: GraphBuilder,
  checkpoint: Checkpoint,
  { positions, dtype = 'float32' }: TransformerOptions,
): Transformer {
  const { config } = checkpoint;
  const weights = transformerWeights(graph, checkpoint, dtype);
  const layers: LayerContext = { graph, config, weights };
  const stretches = { graph, config, tables: rotationTables(graph, config, positions, dtype) };
  const finalLayer = config.layers - 1;

  function states({ prefix, embeddings, lastIndices }: TransformerInput): Tensor {
    const rows = staticDimension(embeddings.shape, 0);
    const prefixSpan: Span = { first: 0, tokens: prefix === null ? 0 : staticDimension(prefix.shape, 0) };
    const rowSpan: Span = { first: prefixSpan.tokens, tokens: staticDimension(embeddings.shape, 1) };
    if (rowSpan.first + rowSpan.tokens > positions) {
      throw new RangeError(
        `${rowSpan.first + rowSpan.tokens} tokens do not fit a transformer of ${positions} positions`,
      );
    }
    const prefixStretch = wholeStretch(stretches, 1, prefixSpan);
    const rowStretch = wholeStretch(stretches, rows, rowSpan);
    const wanted = lastIndices === null ? rowStretch : lastOfRows(stretches, rows, rowSpan, lastIndices);

    let prefixStates = prefix;
    let x = graph.reshape(embeddings, [rows * rowSpan.tokens, config.hiddenSize]);
    for (let layer = 0; layer <= finalLayer; layer++) {
      const window = config.slidingWindows[layer] ?? null;
      const seenBy = (at: Stretch, made: KeysAndValues, keys: Span): Attended => ({
        ...made,
        mask: at.mask(window, keys),
      });
      const at = layer === finalLayer ? wanted : rowStretch;

      let prefixSeen: Attended | null = null;
      if (prefixStates !== null) {
        const normalised = normaliseInput(layers, layer, prefixStates);
        const made = keysAndValues(layers, layer, normalised, prefixStretch);
        prefixSeen = seenBy(at, made, prefixSpan);
        // nothing reads the prefix' states after the last layer's keys and values
        if (layer < finalLayer) {
          const own = seenBy(prefixStretch, made, prefixSpan);
          prefixStates = completeLayer(layers, layer, { x: prefixStates, normalised, at: prefixStretch }, own, null);
        }
      }

      const normalised = normaliseInput(layers, layer, x);
      const own = seenBy(at, keysAndValues(layers, layer, normalised, rowStretch), rowSpan);
      x = completeLayer(layers, layer, { x, normalised, at }, own, prefixSeen);
    }
    return weights.normalise(x, 'model.norm');
  }

  const { embed, unembed, unembedRows } = weights;
  return { embed, unembed, unembedRows, states };
}
