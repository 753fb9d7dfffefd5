import type { GraphBuilder } from '../../graph/builder.ts';
import type { Tensor } from '../../graph/tensor.ts';
import type { Checkpoint, CheckpointTensor } from '../../model/checkpoint.ts';
import { BLOCK_SIZE, type QuantizedBits, quantizedShape } from '../quantize.ts';

export const weightPrecisions = ['4-bit', '8-bit', 'float32'] as const;
export type WeightPrecision = (typeof weightPrecisions)[number];

/** A decoder's parameters as its graph asks for them, whatever they are stored as. */
export interface DecoderWeights {
  /**
   * x `[batch, sequence, inputs]` through the named layers of the checkpoint (without `.weight`), bias included where there is one:
   * one result a layer. Layers that read the same x are asked for together, so that they can be one product.
   */
  linear(x: Tensor, layers: readonly string[]): Tensor[];
  /** A norm's weight or a bias, float32. */
  vector(name: string): Tensor;
}

/** The output head's checkpoint name; models with tied embeddings have none of their own. */
export function weightName(checkpoint: Checkpoint, layer: string): string {
  return layer === 'lm_head' && checkpoint.config.tiedEmbeddings ? 'model.embed_tokens.weight' : `${layer}.weight`;
}

/** The checkpoint's own tensors, read in place by ONNX Runtime; products are in float32. */
export function floatWeights(graph: GraphBuilder, checkpoint: Checkpoint): DecoderWeights {
  const load = (name: string) => {
    const tensor = checkpoint.tensor(name);
    return graph.cast(graph.external(name, tensor.dtype, tensor.shape, tensor), 'float32');
  };
  return {
    vector: load,
    linear: (x, layers) =>
      layers.map((layer) => {
        const product = graph.matmul(x, load(weightName(checkpoint, layer)), { transposeB: true });
        const bias = `${layer}.bias`;
        return checkpoint.tensors.has(bias) ? graph.add(product, load(bias)) : product;
      }),
  };
}

/** Names of the parts of a quantised product in the file that `quantized-file.ts` writes. */
export const quantizedNames = {
  key: (layers: readonly string[]) => layers.join('+'),
  values: (key: string) => `${key}.values`,
  scales: (key: string) => `${key}.scales`,
  zeroPoints: (key: string) => `${key}.zero_points`,
  bias: (key: string) => `${key}.bias`,
} as const;

/**
 * 4 bits go to the feed-forward layers, which are three quarters of the weights. The attention's projections and the output head keep 8:
 * on SmolLM2 this costs 0.12 nats a token of English, all layers at 4 bits cost 0.23, and 8 bits nothing (docs/performance.md).
 */
export function bitsOf(layers: readonly string[], bits: QuantizedBits): QuantizedBits {
  return layers.every((layer) => layer.includes('.mlp.')) ? bits : 8;
}

/** @param source the checkpoint that the quantised `tensors` were made from */
export function quantizedWeights(
  graph: GraphBuilder,
  source: Checkpoint,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  bits: QuantizedBits,
): DecoderWeights {
  const load = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new TypeError(`the quantised weights have no ${name}`);
    return graph.external(name, tensor.dtype, tensor.shape, tensor);
  };
  return {
    vector: load,
    linear(x, layers) {
      const key = quantizedNames.key(layers);
      const sizes = layers.map((layer) => source.tensor(weightName(source, layer)).shape[0] ?? 0);
      const inputSize = source.tensor(weightName(source, layers[0] ?? '')).shape[1] ?? 0;
      const outputSize = sizes.reduce((sum, size) => sum + size, 0);
      const bias = quantizedNames.bias(key);
      const layerBits = bitsOf(layers, bits);
      const [product] = graph.apply(
        'MatMulNBits',
        [
          x,
          load(quantizedNames.values(key)),
          load(quantizedNames.scales(key)),
          load(quantizedNames.zeroPoints(key)),
          tensors.has(bias) ? load(bias) : null,
        ],
        // Level 4 multiplies in int8; without it 8-bit weights are 20 times slower.
        { inputSize, outputSize, bits: layerBits, blockSize: BLOCK_SIZE, accuracyLevel: 4 },
      );
      return sizes.length === 1 ? [product] : [...graph.split(product, sizes, -1)];
    },
  };
}

/** `[rows, blocks, bytes]`, `[rows · blocks]` and `[rows · bytes]`, as MatMulNBits wants them. */
export function quantizedTensorShapes(rows: number, columns: number, bits: QuantizedBits) {
  const { blocks, valueBytesPerRow, zeroPointBytesPerRow } = quantizedShape(columns, bits);
  return {
    values: [rows, blocks, valueBytesPerRow / blocks],
    scales: [rows * blocks],
    zeroPoints: [rows * zeroPointBytesPerRow],
  };
}
