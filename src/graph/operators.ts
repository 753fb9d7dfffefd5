import type { AttributesOf, InputsOf, OperationName, OutputsOf } from './operations.ts';
import { type DType, type Shape, shapesEqual, staticShape, type Tensor } from './tensor.ts';

type Apply = <Name extends OperationName>(
  name: Name,
  inputs: InputsOf<Name>,
  attributes: AttributesOf<Name>,
) => OutputsOf<Name>;

type MakeConstant = (values: ArrayLike<number>, shape: readonly number[], dtype: DType) => Tensor;

type UnaryName = 'Identity' | 'Neg' | 'Sqrt' | 'Exp' | 'Log' | 'Sigmoid' | 'Tanh';
type BinaryName = 'Add' | 'Sub' | 'Mul' | 'Div';

export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
  /** Factor on the product, 1 unless given. */
  scale?: number;
}

export type Operators = ReturnType<typeof createOperators>;

/** The table's operations under their everyday names, and the few compositions that rules and models share. */
export function createOperators(apply: Apply, constant: MakeConstant) {
  const unary = (name: UnaryName) => (x: Tensor) => apply(name, [x], {})[0];
  const binary = (name: BinaryName) => (a: Tensor, b: Tensor) => apply(name, [a, b], {})[0];
  const along = (name: 'Softmax' | 'LogSoftmax') => (x: Tensor, axis: number) => apply(name, [x], { axis })[0];
  const reduce =
    (name: 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceLogSumExp') =>
    (x: Tensor, axes: readonly number[], keepDims = false) =>
      axes.length === 0 ? x : apply(name, [x], { axes, keepDims })[0];

  const [add, mul, exp, log, sigmoid] = [binary('Add'), binary('Mul'), unary('Exp'), unary('Log'), unary('Sigmoid')];
  const [sum, mean] = [reduce('ReduceSum'), reduce('ReduceMean')];
  const [div, sqrt] = [binary('Div'), unary('Sqrt')];

  const scalar = (value: number, dtype: DType) => constant([value], [], dtype);
  const scale = (x: Tensor, factor: number) => (factor === 1 ? x : mul(x, scalar(factor, x.dtype)));
  const cast = (x: Tensor, to: DType) => (x.dtype === to ? x : apply('Cast', [x], { to })[0]);

  const reshape = (x: Tensor, shape: Shape) => (shapesEqual(x.shape, shape) ? x : apply('Reshape', [x], { shape })[0]);
  const expand = (x: Tensor, shape: Shape) => (shapesEqual(x.shape, shape) ? x : apply('Expand', [x], { shape })[0]);
  const transpose = (x: Tensor, permutation: readonly number[]) =>
    permutation.every((axis, index) => axis === index) ? x : apply('Transpose', [x], { permutation })[0];

  /** Undoes broadcasting: sums over the axes that `shape` has not, or has as 1. */
  function sumTo(x: Tensor, shape: Shape): Tensor {
    if (shapesEqual(x.shape, shape)) return x;
    const offset = x.shape.length - shape.length;
    const axes = x.shape.flatMap((size, axis) =>
      axis < offset || (shape[axis - offset] === 1 && size !== 1) ? [axis] : [],
    );
    return reshape(sum(x, axes, true), shape);
  }

  const swapLastAxes = (x: Tensor) => {
    const axes = x.shape.map((_, axis) => axis);
    return transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
  };

  /** scale · op(a) op(b), batch axes broadcast; one kernel in float32, plain operations otherwise. */
  function matmul(
    a: Tensor,
    b: Tensor,
    { transposeA = false, transposeB = false, scale: factor = 1 }: MatmulOptions = {},
  ) {
    if (!transposeA && !transposeB && factor === 1) return apply('MatMul', [a, b], {})[0];
    if (a.dtype === 'float32') return apply('FusedMatMul', [a, b], { transposeA, transposeB, scale: factor })[0];
    return scale(apply('MatMul', [transposeA ? swapLastAxes(a) : a, transposeB ? swapLastAxes(b) : b], {})[0], factor);
  }

  /** x / √(mean(x²) + ε) · weight over the last axis; the kernel would keep 1/rms in float32 whatever x is. */
  function rmsNorm(x: Tensor, weight: Tensor, epsilon: number): Tensor {
    if (x.dtype === 'float32') return apply('SimplifiedLayerNormalization', [x, weight], { epsilon })[0];
    const meanSquare = mean(mul(x, x), [-1], true);
    return mul(div(x, sqrt(add(meanSquare, scalar(epsilon, x.dtype)))), weight);
  }

  return {
    identity: unary('Identity'),
    neg: unary('Neg'),
    sqrt,
    tanh: unary('Tanh'),
    exp,
    log,
    sigmoid,
    add,
    mul,
    sub: binary('Sub'),
    div,
    where: (condition: Tensor, a: Tensor, b: Tensor) => apply('Where', [condition, a, b], {})[0],
    scalar,
    scale,
    cast,
    /** log(1 + eˣ); the kernel exists in float32 only. */
    softplus: (x: Tensor) =>
      x.dtype === 'float32' ? apply('Softplus', [x], {})[0] : log(add(exp(x), scalar(1, x.dtype))),
    /** x σ(x) */
    silu: (x: Tensor) => (x.dtype === 'float32' ? apply('QuickGelu', [x], { alpha: 1 })[0] : mul(x, sigmoid(x))),

    sum,
    mean,
    max: reduce('ReduceMax'),
    logSumExp: reduce('ReduceLogSumExp'),
    softmax: along('Softmax'),
    logSoftmax: along('LogSoftmax'),
    argMax: (x: Tensor, axis: number) => apply('ArgMax', [x], { axis, keepDims: false })[0],
    topK: (x: Tensor, count: number, axis: number) => apply('TopK', [x], { count, axis }),

    reshape,
    expand,
    transpose,
    swapLastAxes,
    sumTo,
    unsqueeze: (x: Tensor, axis: number) => apply('Unsqueeze', [x], { axis })[0],
    concat: (parts: readonly Tensor[], axis: number) => apply('Concat', parts, { axis })[0],
    split: (x: Tensor, sizes: readonly number[], axis: number) => apply('Split', [x], { sizes, axis }),
    gather: (x: Tensor, indices: Tensor, axis: number) => apply('Gather', [x, indices], { axis })[0],
    /** `data` with `updates` [...indices, ...row] added at the rows that int64 `indices` name. */
    scatterRowsAdd: (data: Tensor, indices: Tensor, updates: Tensor) =>
      apply('ScatterRowsAdd', [data, apply('Unsqueeze', [indices], { axis: -1 })[0], updates], {})[0],
    zeros: (shape: Shape, dtype: DType) => expand(scalar(0, dtype), staticShape(shape)),

    matmul,
    linear: (x: Tensor, weight: Tensor, bias: Tensor | null = null) => apply('Linear', [x, weight, bias], {})[0],
    rmsNorm,
    /** The same value, through which no gradient passes. */
    detach: (x: Tensor): Tensor => ({ ...x, requiresGrad: false }),
  };
}
