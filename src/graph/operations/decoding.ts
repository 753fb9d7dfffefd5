import { type OperationTable, sameDType, sameShape } from '../operation.ts';
import { type Dim, normaliseAxis, type Tensor } from '../tensor.ts';

/** What decoding with a cache outside the graph needs beyond the differentiable operations. */
export interface DecodingSignatures {
  /**
   * RoPE by one kernel. x [batch, sequence, heads·headDim]; rows of cos and sin [rows, headDim/2] chosen by
   * positionIds [batch, sequence] int64.
   */
  RotaryEmbedding: {
    inputs: readonly [x: Tensor, positionIds: Tensor, cos: Tensor, sin: Tensor];
    attributes: Readonly<Record<string, never>>;
    outputs: readonly [Tensor];
  };
  /** Cuts an axis in two at sizes known only when the graph runs: sizes [2] int64. */
  SplitInTwo: {
    inputs: readonly [x: Tensor, sizes: Tensor];
    attributes: { axis: number; parts: readonly [Dim, Dim] };
    outputs: readonly [Tensor, Tensor];
  };
}

const inferenceOnly = { notDifferentiable: 'the kernel is used for inference only' };

export const decodingOperations: OperationTable<DecodingSignatures> = {
  RotaryEmbedding: {
    type: 'RotaryEmbedding',
    domain: 'com.microsoft',
    attributes: () => ({}),
    shape: sameShape,
    dtype: sameDType,
    vjp: inferenceOnly,
  },
  SplitInTwo: {
    type: 'Split',
    domain: '',
    attributes: ({ axis }, [x]) => ({ axis: { int: normaliseAxis(axis, x.shape.length) } }),
    shape: ([x], { axis, parts: [first, second] }) => {
      const at = normaliseAxis(axis, x.shape.length);
      return [x.shape.with(at, first), x.shape.with(at, second)];
    },
    dtype: ([x]) => [x.dtype, x.dtype],
    vjp: inferenceOnly,
  },
};
