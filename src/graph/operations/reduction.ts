import { type OperationTable, sameDType, sameShape } from '../operation.ts';
import { normaliseAxis, type Shape, staticDimension, type Tensor } from '../tensor.ts';

interface Reduction {
  inputs: readonly [Tensor];
  attributes: { axes: readonly number[]; keepDims: boolean };
  outputs: readonly [Tensor];
}

interface AlongAxis {
  inputs: readonly [Tensor];
  attributes: { axis: number };
  outputs: readonly [Tensor];
}

export interface ReductionSignatures {
  ReduceSum: Reduction;
  ReduceMean: Reduction;
  ReduceMax: Reduction;
  ReduceLogSumExp: Reduction;
  Softmax: AlongAxis;
  LogSoftmax: AlongAxis;
  ArgMax: { inputs: readonly [Tensor]; attributes: { axis: number; keepDims: boolean }; outputs: readonly [Tensor] };
  /** Outputs values and int64 indices, largest first. */
  TopK: {
    inputs: readonly [Tensor];
    attributes: { axis: number; count: number };
    outputs: readonly [Tensor, Tensor];
  };
}

/** The input's shape with ones where it was reduced: what the output must be reshaped to before it broadcasts back. */
export function keptShape(shape: Shape, axes: readonly number[]): Shape {
  const reduced = new Set(axes.map((axis) => normaliseAxis(axis, shape.length)));
  return shape.map((size, axis) => (reduced.has(axis) ? 1 : size));
}

function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  if (keepDims) return keptShape(shape, axes);
  const reduced = new Set(axes.map((axis) => normaliseAxis(axis, shape.length)));
  return shape.filter((_, axis) => !reduced.has(axis));
}

const reduction = {
  domain: '',
  attributes: ({ keepDims }: Reduction['attributes']) => ({ keepdims: { int: keepDims ? 1 : 0 } }),
  operands: ({ axes }: Reduction['attributes']) => [axes],
  shape: ([input]: Reduction['inputs'], { axes, keepDims }: Reduction['attributes']): readonly [Shape] => [
    reducedShape(input.shape, axes, keepDims),
  ],
  dtype: sameDType,
} as const;

const alongAxis = {
  domain: '',
  attributes: ({ axis }: AlongAxis['attributes']) => ({ axis: { int: axis } }),
  shape: sameShape,
  dtype: sameDType,
} as const;

export const reductions: OperationTable<ReductionSignatures> = {
  // y = Σ x; dx = dy, broadcast back
  ReduceSum: {
    type: 'ReduceSum',
    ...reduction,
    vjp: ({ graph, inputs: [x], attributes: { axes }, cotangents: [dy] }) => [
      () => graph.expand(graph.reshape(dy, keptShape(x.shape, axes)), x.shape),
    ],
  },

  // y = Σ x / n; dx = dy / n, broadcast back
  ReduceMean: {
    type: 'ReduceMean',
    ...reduction,
    vjp: ({ graph, inputs: [x], attributes: { axes }, cotangents: [dy] }) => [
      () => {
        const count = axes.reduce((product, axis) => product * staticDimension(x.shape, axis), 1);
        return graph.expand(graph.reshape(graph.scale(dy, 1 / count), keptShape(x.shape, axes)), x.shape);
      },
    ],
  },

  ReduceMax: { type: 'ReduceMax', ...reduction, vjp: { notDifferentiable: 'the largest element may not be unique' } },

  // y = log Σ eˣ; dx = dy · e^(x - y)
  ReduceLogSumExp: {
    type: 'ReduceLogSumExp',
    ...reduction,
    vjp: ({ graph, inputs: [x], outputs: [y], attributes: { axes }, cotangents: [dy] }) => [
      () => {
        const kept = keptShape(x.shape, axes);
        const probabilities = graph.exp(graph.sub(x, graph.reshape(y, kept)));
        return graph.mul(graph.reshape(dy, kept), probabilities);
      },
    ],
  },

  // yᵢ = e^xᵢ / Σ e^x; dx = dy·y - y Σ (dy·y)
  Softmax: {
    type: 'Softmax',
    ...alongAxis,
    vjp: ({ graph, outputs: [y], attributes: { axis }, cotangents: [dy] }) => [
      () => {
        const weighted = graph.mul(dy, y);
        return graph.sub(weighted, graph.mul(y, graph.sum(weighted, [axis], true)));
      },
    ],
  },

  // yᵢ = xᵢ - log Σ e^x; dx = dy - e^y Σ dy
  LogSoftmax: {
    type: 'LogSoftmax',
    ...alongAxis,
    vjp: ({ graph, outputs: [y], attributes: { axis }, cotangents: [dy] }) => [
      () => graph.sub(dy, graph.mul(graph.exp(y), graph.sum(dy, [axis], true))),
    ],
  },

  ArgMax: {
    type: 'ArgMax',
    domain: '',
    attributes: ({ axis, keepDims }) => ({ axis: { int: axis }, keepdims: { int: keepDims ? 1 : 0 } }),
    shape: ([input], { axis, keepDims }) => [reducedShape(input.shape, [axis], keepDims)],
    dtype: () => ['int64'],
    vjp: { notDifferentiable: 'an index is discrete' },
  },

  TopK: {
    type: 'TopK',
    domain: '',
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    operands: ({ count }) => [[count]],
    shape: ([input], { axis, count }) => {
      const chosen = normaliseAxis(axis, input.shape.length);
      const shape = input.shape.map((size, index) => (index === chosen ? count : size));
      return [shape, shape];
    },
    dtype: ([input]) => [input.dtype, 'int64'],
    vjp: { notDifferentiable: 'the choice of elements is discrete' },
  },
};
