import type { OnnxAttribute } from '../../formats/onnx.ts';
import { type OperationTable, sameDType } from '../operation.ts';
import { dimension, normaliseAxis, type Tensor } from '../tensor.ts';

/** ONNX Runtime's kernels for serving (docs/ContribOperators.md of onnxruntime); training never meets them. */
export interface InferenceSignatures {
  /**
   * Inputs: x [..., inputs], weights [outputs, blocks, bytes] uint8, scales [outputs, blocks] or flat, zero points, bias [outputs].
   */
  MatMulNBits: {
    inputs: readonly [x: Tensor, weights: Tensor, scales: Tensor, zeroPoints: Tensor | null, bias: Tensor | null];
    attributes: QuantisedMatrix;
    outputs: readonly [Tensor];
  };
  /** Rows of a block-quantised embedding matrix. */
  GatherBlockQuantized: {
    inputs: readonly [data: Tensor, indices: Tensor, scales: Tensor, zeroPoints: Tensor | null];
    attributes: { bits: 4 | 8; blockSize: number; gatherAxis: number; quantizeAxis: number };
    outputs: readonly [Tensor];
  };
  /**
   * Causal attention over a cache. query [batch, sequence, heads·headDim], or q, k and v packed side by side with key and value null;
   * past and present [batch, kvHeads, cache, headDim]; `lastIndices` [batch] int32 is each row's total length minus one;
   * `totalLength` [1] int32 the longest row's length; cos and sin [positions, headDim/2]; positionIds [batch, sequence] int64.
   */
  GroupQueryAttention: {
    inputs: readonly [
      query: Tensor,
      key: Tensor | null,
      value: Tensor | null,
      pastKey: Tensor | null,
      pastValue: Tensor | null,
      lastIndices: Tensor,
      totalLength: Tensor,
      cos: Tensor | null,
      sin: Tensor | null,
      positionIds: Tensor | null,
      attentionBias: Tensor | null,
    ];
    attributes: GroupQueryAttentionAttributes;
    outputs: readonly [output: Tensor, presentKey: Tensor, presentValue: Tensor];
  };
  /** x + skip (+ bias) and its RMSNorm: outputs the norm and the sum. */
  SkipSimplifiedLayerNormalization: {
    inputs: readonly [x: Tensor, skip: Tensor, weight: Tensor, bias: Tensor | null];
    attributes: { epsilon: number };
    outputs: readonly [normalised: Tensor, sum: Tensor];
  };
}

interface QuantisedMatrix {
  /** K and N of the matrix that was quantised. */
  inputSize: number;
  outputSize: number;
  bits: 4 | 8;
  /** Weights that share one scale. */
  blockSize: number;
  /** 4 lets the kernel quantise x to int8 as well, which is what makes it fast; 0 keeps float32. */
  accuracyLevel: 0 | 4;
}

interface GroupQueryAttentionAttributes {
  heads: number;
  kvHeads: number;
  scale: number;
  /** The kernel applies RoPE itself, from cos and sin. */
  rotary: boolean;
  /** Tokens each position sees, itself included; null for all. */
  localWindow: number | null;
  /** Symbol (or size) of the cache axis of the outputs. */
  presentLength: number | string;
}

const inferenceOnly = { notDifferentiable: 'the kernel exists for inference only' };

export const inferenceOperations: OperationTable<InferenceSignatures> = {
  MatMulNBits: {
    type: 'MatMulNBits',
    domain: 'com.microsoft',
    attributes: ({ inputSize, outputSize, bits, blockSize, accuracyLevel }) => ({
      K: { int: inputSize },
      N: { int: outputSize },
      bits: { int: bits },
      block_size: { int: blockSize },
      accuracy_level: { int: accuracyLevel },
    }),
    onnxInputs: ([x, weights, scales, zeroPoints, bias]) => [x, weights, scales, zeroPoints, null, bias],
    shape: ([x], { outputSize }) => [[...x.shape.slice(0, -1), outputSize]],
    dtype: sameDType,
    vjp: inferenceOnly,
  },

  GatherBlockQuantized: {
    type: 'GatherBlockQuantized',
    domain: 'com.microsoft',
    attributes: ({ bits, blockSize, gatherAxis, quantizeAxis }) => ({
      bits: { int: bits },
      block_size: { int: blockSize },
      gather_axis: { int: gatherAxis },
      quantize_axis: { int: quantizeAxis },
    }),
    shape: ([data, indices], { bits, gatherAxis, quantizeAxis }) => {
      // a uint8 tensor holds 8 / bits values a byte along the quantised axis
      const packed = data.dtype === 'uint8' ? 8 / bits : 1;
      const quantized = normaliseAxis(quantizeAxis, data.shape.length);
      const unpacked = data.shape.map((size, axis) =>
        axis === quantized && typeof size === 'number' ? size * packed : size,
      );
      return [unpacked.toSpliced(normaliseAxis(gatherAxis, data.shape.length), 1, ...indices.shape)];
    },
    dtype: ([, , scales]) => [scales.dtype],
    vjp: inferenceOnly,
  },

  GroupQueryAttention: {
    type: 'GroupQueryAttention',
    domain: 'com.microsoft',
    attributes: ({ heads, kvHeads, scale, rotary, localWindow }): Record<string, OnnxAttribute> => ({
      num_heads: { int: heads },
      kv_num_heads: { int: kvHeads },
      scale: { float: scale },
      do_rotary: { int: rotary ? 1 : 0 },
      local_window_size: { int: localWindow ?? -1 },
    }),
    shape: ([query, key], { heads, kvHeads, presentLength }) => {
      const [batch, sequence, width] = [0, 1, 2].map((axis) => dimension(query.shape, axis));
      if (batch === undefined || sequence === undefined || typeof width !== 'number') {
        throw new TypeError('query must be [batch, sequence, width] with a known width');
      }
      const headDim = width / (key === null ? heads + 2 * kvHeads : heads);
      const present = [batch, kvHeads, presentLength, headDim];
      return [[batch, sequence, heads * headDim], present, present];
    },
    dtype: ([query]) => [query.dtype, query.dtype, query.dtype],
    vjp: inferenceOnly,
  },

  SkipSimplifiedLayerNormalization: {
    type: 'SkipSimplifiedLayerNormalization',
    domain: 'com.microsoft',
    attributes: ({ epsilon }) => ({ epsilon: { float: epsilon } }),
    // the kernel's second and third outputs (mean and 1/rms) are left out
    onnxOutputs: ([normalised, sum]) => [normalised, null, null, sum],
    shape: ([x]) => [x.shape, x.shape],
    dtype: ([x]) => [x.dtype, x.dtype],
    vjp: inferenceOnly,
  },
};
