import { commonDType, type NoAttributes, noAttributes, type OperationTable } from '../operation.ts';
import { broadcast, describeShape, dimension, type Shape, type Tensor } from '../tensor.ts';

interface MatrixProduct {
  transposeA: boolean;
  transposeB: boolean;
  scale: number;
}

export interface MatmulSignatures {
  MatMul: { inputs: readonly [Tensor, Tensor]; attributes: NoAttributes; outputs: readonly [Tensor] };
  /** scale · op(A) op(B) in one kernel; float32 only. */
  FusedMatMul: { inputs: readonly [Tensor, Tensor]; attributes: MatrixProduct; outputs: readonly [Tensor] };
  /** x Wᵀ + b for a weight as PyTorch stores it, [outputs, inputs]. */
  Linear: { inputs: readonly [Tensor, Tensor, Tensor | null]; attributes: NoAttributes; outputs: readonly [Tensor] };
}

function productShape(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): Shape {
  const [rows, innerA] = transposeA ? [-1, -2] : [-2, -1];
  const [innerB, columns] = transposeB ? [-1, -2] : [-2, -1];
  if (dimension(a, innerA) !== dimension(b, innerB)) {
    throw new TypeError(`cannot multiply ${describeShape(a)} and ${describeShape(b)}: inner sizes differ`);
  }
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), dimension(a, rows), dimension(b, columns)];
}

export const matmulOperations: OperationTable<MatmulSignatures> = {
  // dA = dy Bᵀ, dB = Aᵀ dy
  MatMul: {
    type: 'MatMul',
    domain: '',
    attributes: noAttributes,
    shape: ([a, b]) => [productShape(a.shape, b.shape, false, false)],
    dtype: commonDType,
    vjp: ({ graph, inputs: [a, b], cotangents: [dy] }) => [
      () => graph.sumTo(graph.matmul(dy, b, { transposeB: true }), a.shape),
      () => graph.sumTo(graph.matmul(a, dy, { transposeA: true }), b.shape),
    ],
  },

  // y = s op(A) op(B). With op the identity: dA = s dy op(B)ᵀ, dB = s op(A)ᵀ dy; with op the transpose: their transposes,
  // dA = s op(B) dyᵀ, dB = s dyᵀ op(A)
  FusedMatMul: {
    type: 'FusedMatMul',
    domain: 'com.microsoft',
    attributes: ({ transposeA, transposeB, scale }) => ({
      transA: { int: transposeA ? 1 : 0 },
      transB: { int: transposeB ? 1 : 0 },
      alpha: { float: scale },
    }),
    shape: ([a, b], { transposeA, transposeB }) => [productShape(a.shape, b.shape, transposeA, transposeB)],
    dtype: commonDType,
    vjp: ({ graph, inputs: [a, b], attributes: { transposeA, transposeB, scale }, cotangents: [dy] }) => [
      () =>
        graph.sumTo(
          transposeA
            ? graph.matmul(b, dy, { transposeA: transposeB, transposeB: true, scale })
            : graph.matmul(dy, b, { transposeB: !transposeB, scale }),
          a.shape,
        ),
      () =>
        graph.sumTo(
          transposeB
            ? graph.matmul(dy, a, { transposeA: true, transposeB: transposeA, scale })
            : graph.matmul(a, dy, { transposeA: !transposeA, scale }),
          b.shape,
        ),
    ],
  },

  // y = x Wᵀ + b: dx = dy W, dW = dyᵀ x, db = Σ dy
  Linear: {
    type: 'Gemm',
    domain: '',
    attributes: () => ({ transB: { int: 1 } }),
    shape: ([x, weight]) => {
      if (x.shape.length !== 2)
        throw new TypeError(`a linear layer takes [rows, inputs], not ${describeShape(x.shape)}`);
      return [productShape(x.shape, weight.shape, false, true)];
    },
    dtype: commonDType,
    vjp: ({ graph, inputs: [x, weight, bias], cotangents: [dy] }) => [
      () => graph.matmul(dy, weight),
      () => graph.matmul(dy, x, { transposeA: true }),
      () => graph.sumTo(dy, bias?.shape ?? []),
    ],
  },
};
