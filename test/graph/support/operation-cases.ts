import type { GraphBuilder } from '../../../src/graph/builder.ts';
import type { OperationName } from '../../../src/graph/operations.ts';
import type { Tensor } from '../../../src/graph/tensor.ts';

/** Sizes drawn at random, from 1 to 4. */
export interface Sizes {
  a: number;
  b: number;
  c: number;
}

export interface GradientCase {
  shapes(sizes: Sizes): number[][];
  build(graph: GraphBuilder, inputs: readonly Tensor[], sizes: Sizes): Tensor;
  /** Inputs are drawn from -1.5 to 1.5, or from 0.5 to 2 where the function needs it. */
  positive?: boolean;
}

const at = (inputs: readonly Tensor[], index: number): Tensor => {
  const input = inputs[index];
  if (input === undefined) throw new RangeError(`no input ${index}`);
  return input;
};

const unary = (operation: (graph: GraphBuilder, x: Tensor) => Tensor, positive = false): GradientCase => ({
  shapes: ({ a, b }) => [[a, b]],
  build: (graph, inputs) => operation(graph, at(inputs, 0)),
  positive,
});

/** One side has a missing axis and a 1, so both directions of broadcasting are undone. */
const binary = (operation: (graph: GraphBuilder, a: Tensor, b: Tensor) => Tensor, positive = false): GradientCase => ({
  shapes: ({ a, b, c }) => [
    [a, 1, c],
    [b, c],
  ],
  build: (graph, inputs) => operation(graph, at(inputs, 0), at(inputs, 1)),
  positive,
});

const integers = (graph: GraphBuilder, values: number[], shape: number[]) => graph.constant(values, shape, 'int64');

/** float64 kernels exist for these: central differences can judge them. `elsewhere` says where the others are tested. */
export const operationCases: Record<OperationName, GradientCase | { elsewhere: string }> = {
  Identity: unary((graph, x) => graph.identity(x)),
  Neg: unary((graph, x) => graph.neg(x)),
  Sqrt: unary((graph, x) => graph.sqrt(x), true),
  Exp: unary((graph, x) => graph.exp(x)),
  Log: unary((graph, x) => graph.log(x), true),
  Sigmoid: unary((graph, x) => graph.sigmoid(x)),
  Tanh: unary((graph, x) => graph.tanh(x)),
  Cast: unary((graph, x) => graph.cast(graph.cast(graph.identity(x), 'float64'), 'float64')),
  Add: binary((graph, a, b) => graph.add(a, b)),
  Sub: binary((graph, a, b) => graph.sub(a, b)),
  Mul: binary((graph, a, b) => graph.mul(a, b)),
  Div: binary((graph, a, b) => graph.div(a, b), true),
  Where: {
    shapes: ({ a, b }) => [[a, b], [b]],
    build: (graph, inputs, { b }) => {
      const condition = graph.constant(
        Array.from({ length: b }, (_, index) => index % 2),
        [b],
        'bool',
      );
      return graph.where(condition, at(inputs, 0), at(inputs, 1));
    },
  },

  ReduceSum: unary((graph, x) => graph.sum(x, [0])),
  ReduceMean: unary((graph, x) => graph.mean(x, [-1], true)),
  ReduceLogSumExp: unary((graph, x) => graph.logSumExp(x, [1])),
  Softmax: unary((graph, x) => graph.softmax(x, 0)),
  LogSoftmax: unary((graph, x) => graph.logSoftmax(x, -1)),

  Reshape: unary((graph, x) => graph.reshape(x, [Number(x.shape[1]), Number(x.shape[0])])),
  Transpose: {
    shapes: ({ a, b, c }) => [[a, b, c]],
    build: (graph, inputs) => graph.transpose(at(inputs, 0), [2, 0, 1]),
  },
  Expand: {
    shapes: ({ b }) => [[b, 1]],
    build: (graph, inputs, { a, b, c }) => graph.expand(at(inputs, 0), [a, b, c]),
  },
  Unsqueeze: unary((graph, x) => graph.unsqueeze(x, 1)),
  Concat: {
    shapes: ({ a, b, c }) => [
      [a, b],
      [a, c],
    ],
    build: (graph, inputs) => graph.concat(inputs, 1),
  },
  Split: {
    shapes: ({ a, b, c }) => [[a, b + c]],
    // one part is used twice and, with three of them, one not at all
    build: (graph, inputs, { b, c }) => {
      const parts = graph.split(at(inputs, 0), [b, c], -1);
      return graph.mul(graph.sum(at(parts, 0), [1], true), graph.exp(at(parts, 0)));
    },
  },
  Gather: {
    shapes: ({ a, b, c }) => [[a, b, c]],
    build: (graph, inputs, { b }) => graph.gather(at(inputs, 0), integers(graph, [b - 1, 0, -1, 0], [2, 2]), 1),
  },
  ScatterRowsAdd: {
    shapes: ({ a, b }) => [
      [a, b],
      [3, b],
    ],
    build: (graph, inputs, { a }) =>
      graph.scatterRowsAdd(at(inputs, 0), integers(graph, [0, a - 1, 0], [3]), at(inputs, 1)),
  },

  MatMul: {
    shapes: ({ a, b, c }) => [
      [2, 1, a, b],
      [3, b, c],
    ],
    build: (graph, inputs) => graph.matmul(at(inputs, 0), at(inputs, 1)),
  },
  Linear: {
    shapes: ({ a, b, c }) => [[a, b], [c, b], [c]],
    build: (graph, inputs) => graph.linear(at(inputs, 0), at(inputs, 1), at(inputs, 2)),
  },

  SimplifiedLayerNormalization: { elsewhere: 'float32-kernels.test.ts' },
  Softplus: { elsewhere: 'float32-kernels.test.ts' },
  FusedMatMul: { elsewhere: 'float32-kernels.test.ts' },
  QuickGelu: { elsewhere: 'float32-kernels.test.ts' },
  RotaryEmbedding: { elsewhere: 'float32-kernels.test.ts' },
  ReduceMax: { elsewhere: 'not-differentiable.test.ts' },
  ArgMax: { elsewhere: 'not-differentiable.test.ts' },
  TopK: { elsewhere: 'not-differentiable.test.ts' },
  SplitInTwo: { elsewhere: 'not-differentiable.test.ts' },
  MatMulNBits: { elsewhere: 'not-differentiable.test.ts' },
  GatherBlockQuantized: { elsewhere: 'not-differentiable.test.ts' },
  GroupQueryAttention: { elsewhere: 'not-differentiable.test.ts' },
  SkipSimplifiedLayerNormalization: { elsewhere: 'not-differentiable.test.ts' },
};
