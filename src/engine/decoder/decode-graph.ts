import { createGraph, type GraphBuilder } from '../../graph/builder.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { ModelConfig } from '../../model/config.ts';
import type { DecoderWeights } from './weights.ts';

/** Inputs that the decoder fills at each step; `{i}` outputs are the new keys and values of layer i. */
export const names = {
  embeddings: 'embeddings',
  rowIds: 'row_ids',
  cos: 'cos',
  sin: 'sin',
  splitSizes: 'split_sizes',
  newMask: (window: number | null) => (window === null ? 'new_mask' : `new_mask_${window}`),
  pastMask: (window: number | null) => (window === null ? 'past_mask' : `past_mask_${window}`),
  pastKey: (layer: number) => `past_key_${layer}`,
  pastValue: (layer: number) => `past_value_${layer}`,
  newKey: (layer: number) => `new_key_${layer}`,
  newValue: (layer: number) => `new_value_${layer}`,
  logits: 'logits',
} as const;

interface StepInputs {
  /** `[batch, sequence]` int64: which row of cos and sin belongs to each position. */
  rowIds: Tensor;
  /** `[batch · sequence, headDim / 2]` */
  cos: Tensor;
  sin: Tensor;
  /** `[2]` int64: new positions, past positions. */
  splitSizes: Tensor;
  /** By window: additive masks, `[queries, sequence]` and `[batch, 1, queries, past]`, queries = heads / kvHeads · sequence. */
  masks: ReadonlyMap<number | null, { past: Tensor; fresh: Tensor }>;
}

/**
 * One step of a Llama-family decoder over a cache that lives outside the graph: scores against the past keys and the new ones are
 * joined before the softmax, so the past is only ever read and the outputs are as small as what is new.
 */
export function buildDecodeGraph(config: ModelConfig, declare: (graph: GraphBuilder) => DecoderWeights): Uint8Array {
  const graph = createGraph();
  const weights = declare(graph);
  const { hiddenSize, headDim } = config;
  const inputs: StepInputs = {
    rowIds: graph.input(names.rowIds, ['batch', 'sequence'], 'int64'),
    cos: graph.input(names.cos, ['rows', headDim / 2], 'float32'),
    sin: graph.input(names.sin, ['rows', headDim / 2], 'float32'),
    splitSizes: graph.input(names.splitSizes, [2], 'int64'),
    masks: new Map(
      [...new Set(config.slidingWindows)].map((window) => [
        window,
        {
          past: graph.input(names.pastMask(window), ['batch', 1, 'queries', 'past'], 'float32'),
          fresh: graph.input(names.newMask(window), ['queries', 'sequence'], 'float32'),
        },
      ]),
    ),
  };
  const addAndNormalise = (x: Tensor, update: Tensor, name: string) =>
    graph.apply('SkipSimplifiedLayerNormalization', [x, update, weights.vector(name), null], {
      epsilon: config.rmsNormEps,
    });

  let residual = graph.input(names.embeddings, ['batch', 'sequence', hiddenSize], 'float32');
  let normalised = graph.rmsNorm(residual, weights.vector('model.layers.0.input_layernorm.weight'), config.rmsNormEps);
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const attention = attend(graph, config, weights, inputs, normalised, layer);
    [normalised, residual] = addAndNormalise(residual, attention, `${prefix}.post_attention_layernorm.weight`);
    const following =
      layer + 1 < config.layers ? `model.layers.${layer + 1}.input_layernorm.weight` : 'model.norm.weight';
    [normalised, residual] = addAndNormalise(residual, feedForward(graph, weights, normalised, prefix), following);
  }
  const last = graph.gather(normalised, graph.constant([-1], [], 'int64'), 1);
  const [logits] = weights.linear(last, ['lm_head']);
  if (logits !== undefined) graph.output(logits, names.logits);
  return graph.build();
}

function feedForward(graph: GraphBuilder, weights: DecoderWeights, x: Tensor, prefix: string): Tensor {
  const [gate, up] = weights.linear(x, [`${prefix}.mlp.gate_proj`, `${prefix}.mlp.up_proj`]);
  return only(weights.linear(graph.mul(graph.silu(present(gate)), present(up)), [`${prefix}.mlp.down_proj`]));
}

function attend(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: DecoderWeights,
  inputs: StepInputs,
  x: Tensor,
  layer: number,
): Tensor {
  const { heads, kvHeads, headDim } = config;
  const groups = heads / kvHeads;
  const prefix = `model.layers.${layer}.self_attn`;
  const [q, k, v] = weights.linear(
    x,
    ['q', 'k', 'v'].map((name) => `${prefix}.${name}_proj`),
  );

  const rotate = (projected: Tensor) =>
    graph.apply('RotaryEmbedding', [projected, inputs.rowIds, inputs.cos, inputs.sin], {})[0];
  const normaliseHeads = (projected: Tensor, width: number, name: string) => {
    if (!config.qkNorm) return projected;
    const perHead = graph.reshape(projected, ['batch', 'sequence', width, headDim]);
    const normed = graph.rmsNorm(perHead, weights.vector(`${prefix}.${name}.weight`), config.rmsNormEps);
    return graph.reshape(normed, ['batch', 'sequence', width * headDim]);
  };
  const byHead = (projected: Tensor) =>
    graph.transpose(graph.reshape(projected, ['batch', 'sequence', kvHeads, headDim]), [0, 2, 1, 3]);

  const rotatedQuery = rotate(normaliseHeads(present(q), heads, 'q_norm'));
  // Query heads that share a key head stand together as rows of one product: [batch, kvHeads, groups · sequence, headDim].
  const query = graph.reshape(
    graph.transpose(graph.reshape(rotatedQuery, ['batch', 'sequence', kvHeads, groups, headDim]), [0, 2, 3, 1, 4]),
    ['batch', kvHeads, 'queries', headDim],
  );
  const newKey = byHead(rotate(normaliseHeads(present(k), kvHeads, 'k_norm')));
  const newValue = byHead(present(v));
  const pastKey = graph.input(names.pastKey(layer), ['batch', kvHeads, 'past', headDim], 'float32');
  const pastValue = graph.input(names.pastValue(layer), ['batch', kvHeads, 'past', headDim], 'float32');
  graph.output(newKey, names.newKey(layer));
  graph.output(newValue, names.newValue(layer));

  const masks = present(inputs.masks.get(config.slidingWindows[layer] ?? null));
  const scale = 1 / Math.sqrt(headDim);
  const newScores = graph.add(graph.matmul(query, newKey, { transposeB: true, scale }), masks.fresh);
  const pastScores = graph.add(graph.matmul(query, pastKey, { transposeB: true, scale }), masks.past);
  // The new positions first: behind the past's real positions come only masked ones, so no result depends on their number.
  const probabilities = graph.softmax(graph.concat([newScores, pastScores], -1), -1);
  const [onNew, onPast] = graph.apply('SplitInTwo', [probabilities, inputs.splitSizes], {
    axis: -1,
    parts: ['sequence', 'past'],
  });
  const mixed = graph.add(graph.matmul(onNew, newValue), graph.matmul(onPast, pastValue));
  const joined = graph.reshape(
    graph.transpose(graph.reshape(mixed, ['batch', kvHeads, groups, 'sequence', headDim]), [0, 3, 1, 2, 4]),
    ['batch', 'sequence', heads * headDim],
  );
  return only(weights.linear(joined, [`${prefix}.o_proj`]));
}

function only(tensors: readonly Tensor[]): Tensor {
  return present(tensors[0]);
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError('a projection is missing its output');
  return value;
}
