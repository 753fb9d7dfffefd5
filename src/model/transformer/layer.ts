import type { GraphBuilder } from '../../graph/builder.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { ModelConfig } from '../config.ts';
import { type Attended, attend, type KeysAndValues } from './attention.ts';
import type { Stretch } from './stretch.ts';
import type { TransformerWeights } from './weights.ts';

export interface LayerContext {
  graph: GraphBuilder;
  config: ModelConfig;
  weights: TransformerWeights;
}

const nameOf = (layer: number) => `model.layers.${layer}`;

/** RMSNorm before the attention of `layer`: the input of all its projections. */
export function normaliseInput({ weights }: LayerContext, layer: number, x: Tensor): Tensor {
  return weights.normalise(x, `${nameOf(layer)}.input_layernorm`);
}

/** Keys and values of normalised states `[rows · tokens, hiddenSize]`. */
export function keysAndValues(context: LayerContext, layer: number, normalised: Tensor, at: Stretch): KeysAndValues {
  const { graph, config, weights } = context;
  const attention = `${nameOf(layer)}.self_attn`;
  const byHead = (x: Tensor) => splitHeads(graph, config, x, at, 1);
  const keys = weights.linear(normalised, `${attention}.k_proj`);
  return {
    keys: byHead(at.rotate(normaliseHeads(context, keys, `${attention}.k_norm`))),
    values: byHead(weights.linear(normalised, `${attention}.v_proj`)),
  };
}

/** The rest of the layer: attention for the positions of `at`, and the MLP. x and the result are `[rows · tokens, hiddenSize]`. */
export function completeLayer(
  context: LayerContext,
  layer: number,
  { x, normalised, at }: { x: Tensor; normalised: Tensor; at: Stretch },
  own: Attended,
  prefix: Attended | null,
): Tensor {
  const { graph, config, weights } = context;
  const attention = `${nameOf(layer)}.self_attn`;
  const projected = weights.linear(at.select(normalised), `${attention}.q_proj`);
  const rotated = at.rotate(normaliseHeads(context, projected, `${attention}.q_norm`));
  const queries = splitHeads(graph, config, rotated, at, config.heads / config.kvHeads);
  const mixed = joinHeads(graph, config, attend(graph, config, queries, own, prefix), at);
  const attended = graph.add(at.select(x), weights.linear(mixed, `${attention}.o_proj`));
  return graph.add(attended, feedForward(context, layer, attended));
}

/** down(silu(gate(x)) · up(x)) of the normalised x */
function feedForward({ graph, weights }: LayerContext, layer: number, x: Tensor): Tensor {
  const name = nameOf(layer);
  const normalised = weights.normalise(x, `${name}.post_attention_layernorm`);
  const gate = graph.silu(weights.linear(normalised, `${name}.mlp.gate_proj`));
  const up = weights.linear(normalised, `${name}.mlp.up_proj`);
  return weights.linear(graph.mul(gate, up), `${name}.mlp.down_proj`);
}

/** qwen3: RMSNorm over each head, before RoPE. */
function normaliseHeads({ graph, config, weights }: LayerContext, x: Tensor, norm: string): Tensor {
  if (!config.qkNorm) return x;
  const heads = graph.reshape(x, splitLast(x, config.headDim));
  return graph.reshape(weights.normalise(heads, norm), x.shape);
}

const splitLast = ({ shape: [rows = 1, width] }: Tensor, headDim: number) => [rows, Number(width) / headDim, headDim];

/** `[rows · tokens, kvHeads · groups · headDim]` to `[kvHeads, rows, groups · tokens, headDim]` */
function splitHeads(graph: GraphBuilder, { kvHeads, headDim }: ModelConfig, x: Tensor, at: Stretch, groups: number) {
  const { rows, tokens } = at;
  const heads = graph.transpose(graph.reshape(x, [rows, tokens, kvHeads, groups, headDim]), [2, 0, 3, 1, 4]);
  return graph.reshape(heads, [kvHeads, rows, groups * tokens, headDim]);
}

/** The inverse, for all query heads: `[rows · tokens, heads · headDim]` */
function joinHeads(graph: GraphBuilder, { heads, kvHeads, headDim }: ModelConfig, x: Tensor, at: Stretch) {
  const { rows, tokens } = at;
  const split = graph.reshape(x, [kvHeads, rows, heads / kvHeads, tokens, headDim]);
  return graph.reshape(graph.transpose(split, [1, 3, 0, 2, 4]), [rows * tokens, heads * headDim]);
}
