import type { ModelConfig } from './config.ts';

/** Every weight that the transformer of this configuration reads, with its shape, as Hugging Face names them. */
export function* expectedTensors(config: ModelConfig): Generator<[name: string, shape: number[]]> {
  const { hiddenSize, headDim, heads, kvHeads, intermediateSize, vocabSize } = config;
  yield ['model.embed_tokens.weight', [vocabSize, hiddenSize]];
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    const projections: [name: string, outputs: number, inputs: number, bias: boolean][] = [
      ['self_attn.q_proj', heads * headDim, hiddenSize, config.qkvBias],
      ['self_attn.k_proj', kvHeads * headDim, hiddenSize, config.qkvBias],
      ['self_attn.v_proj', kvHeads * headDim, hiddenSize, config.qkvBias],
      ['self_attn.o_proj', hiddenSize, heads * headDim, config.outputBias],
      ['mlp.gate_proj', intermediateSize, hiddenSize, config.mlpBias],
      ['mlp.up_proj', intermediateSize, hiddenSize, config.mlpBias],
      ['mlp.down_proj', hiddenSize, intermediateSize, config.mlpBias],
    ];
    for (const [name, outputs, inputs, bias] of projections) {
      yield [`${prefix}.${name}.weight`, [outputs, inputs]];
      if (bias) yield [`${prefix}.${name}.bias`, [outputs]];
    }
    if (config.qkNorm) {
      yield [`${prefix}.self_attn.q_norm.weight`, [headDim]];
      yield [`${prefix}.self_attn.k_norm.weight`, [headDim]];
    }
    yield [`${prefix}.input_layernorm.weight`, [hiddenSize]];
    yield [`${prefix}.post_attention_layernorm.weight`, [hiddenSize]];
  }
  yield ['model.norm.weight', [hiddenSize]];
  if (!config.tiedEmbeddings) yield ['lm_head.weight', [vocabSize, hiddenSize]];
}
