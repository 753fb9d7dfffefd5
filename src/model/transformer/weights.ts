import type { GraphBuilder } from '../../graph/builder.ts';
import type { DType, Tensor } from '../../graph/tensor.ts';
import type { Checkpoint } from '../checkpoint.ts';

/** A checkpoint's parameters as constants of one graph, read in place and cast to the type it computes in. */
export interface TransformerWeights {
  /** x `[rows, inputs]` through a layer named as in the checkpoint, without `.weight`; its bias is added where there is one. */
  linear(x: Tensor, layer: string): Tensor;
  /** RMSNorm over the last axis with the weight of that name. */
  normalise(x: Tensor, layer: string): Tensor;
  /** Token embeddings `[...ids.shape, hiddenSize]` of int64 `ids`. */
  embed(ids: Tensor): Tensor;
  /** Logits `[rows, vocabSize]` of final states `[rows, hiddenSize]`. */
  unembed(states: Tensor): Tensor;
  /** Rows of the output head `[...ids.shape, hiddenSize]` of int64 `ids`: the vectors that a state is multiplied with for these tokens' logits. */
  unembedRows(ids: Tensor): Tensor;
}

const EMBEDDINGS = 'model.embed_tokens';

export function transformerWeights(
  graph: GraphBuilder,
  { config, tensors, tensor }: Checkpoint,
  dtype: DType,
): TransformerWeights {
  const casts = new Map<string, Tensor>();

  const stored = (name: string) => {
    const found = tensor(name);
    return graph.external(name, found.dtype, found.shape, found);
  };
  // cast once, so that the backward pass shares what the forward pass reads
  const parameter = (name: string) => {
    const known = casts.get(name) ?? graph.cast(stored(name), dtype);
    casts.set(name, known);
    return known;
  };
  const linear = (x: Tensor, layer: string) => {
    const bias = tensors.has(`${layer}.bias`) ? parameter(`${layer}.bias`) : null;
    return graph.linear(x, parameter(`${layer}.weight`), bias);
  };

  const head = config.tiedEmbeddings ? EMBEDDINGS : 'lm_head';
  const rowsOf = (layer: string, ids: Tensor) => graph.cast(graph.gather(stored(`${layer}.weight`), ids, 0), dtype);

  return {
    linear,
    normalise: (x, layer) => graph.rmsNorm(x, parameter(`${layer}.weight`), config.rmsNormEps),
    embed: (ids) => rowsOf(EMBEDDINGS, ids),
    unembed: (states) => linear(states, head),
    unembedRows: (ids) => rowsOf(head, ids),
  };
}
