import type { OperationTable } from '../operation.ts';
import { type Dim, normaliseAxis, type Tensor } from '../tensor.ts';

/** What decoding with a cache outside the graph needs beyond the differentiable operations. */
export interface DecodingSignatures {
  /** Cuts an axis in two at sizes known only when the graph runs: sizes [2] int64. */
  SplitInTwo: {
    inputs: readonly [x: Tensor, sizes: Tensor];
    attributes: { axis: number; parts: readonly [Dim, Dim] };
    outputs: readonly [Tensor, Tensor];
  };
}

const inferenceOnly = { notDifferentiable: 'the kernel is used for inference only' };

export const decodingOperations: OperationTable<DecodingSignatures> = {
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
