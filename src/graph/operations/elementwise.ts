import { onnxDataTypes } from '../../formats/onnx.ts';
import {
  type Binary,
  commonDType,
  noAttributes,
  type OperationTable,
  sameDType,
  sameShape,
  type Unary,
} from '../operation.ts';
import { broadcast, type DType, type Shape, type Tensor } from '../tensor.ts';

export interface ElementwiseSignatures {
  Identity: Unary;
  Neg: Unary;
  Sqrt: Unary;
  Exp: Unary;
  Log: Unary;
  Sigmoid: Unary;
  Tanh: Unary;
  Softplus: Unary;
  Add: Binary;
  Sub: Binary;
  Mul: Binary;
  Div: Binary;
  Where: { inputs: readonly [Tensor, Tensor, Tensor]; attributes: Unary['attributes']; outputs: readonly [Tensor] };
  Cast: { inputs: readonly [Tensor]; attributes: { to: DType }; outputs: readonly [Tensor] };
}

const unary = { domain: '', attributes: noAttributes, shape: sameShape, dtype: sameDType } as const;

const binary = {
  domain: '',
  attributes: noAttributes,
  shape: ([left, right]: Binary['inputs']): readonly [Shape] => [broadcast(left.shape, right.shape)],
  dtype: commonDType,
} as const;

/** In the formulas y is the output and dy its cotangent; sum(·) undoes broadcasting. */
export const elementwise: OperationTable<ElementwiseSignatures> = {
  // dx = dy
  Identity: { type: 'Identity', ...unary, vjp: ({ cotangents: [dy] }) => [() => dy] },

  // dx = -dy
  Neg: { type: 'Neg', ...unary, vjp: ({ graph, cotangents: [dy] }) => [() => graph.neg(dy)] },

  // dx = dy / (2 y)
  Sqrt: {
    type: 'Sqrt',
    ...unary,
    vjp: ({ graph, outputs: [y], cotangents: [dy] }) => [() => graph.div(graph.scale(dy, 0.5), y)],
  },

  // dx = dy · y
  Exp: { type: 'Exp', ...unary, vjp: ({ graph, outputs: [y], cotangents: [dy] }) => [() => graph.mul(dy, y)] },

  // dx = dy / x
  Log: { type: 'Log', ...unary, vjp: ({ graph, inputs: [x], cotangents: [dy] }) => [() => graph.div(dy, x)] },

  // dx = dy · y (1 - y)
  Sigmoid: {
    type: 'Sigmoid',
    ...unary,
    vjp: ({ graph, outputs: [y], cotangents: [dy] }) => [
      () => graph.mul(dy, graph.mul(y, graph.sub(graph.scalar(1, y.dtype), y))),
    ],
  },

  // dx = dy · (1 - y²)
  Tanh: {
    type: 'Tanh',
    ...unary,
    vjp: ({ graph, outputs: [y], cotangents: [dy] }) => [
      () => graph.mul(dy, graph.sub(graph.scalar(1, y.dtype), graph.mul(y, y))),
    ],
  },

  // y = log(1 + eˣ), dx = dy · σ(x)
  Softplus: {
    type: 'Softplus',
    ...unary,
    vjp: ({ graph, inputs: [x], cotangents: [dy] }) => [() => graph.mul(dy, graph.sigmoid(x))],
  },

  // da = sum(dy), db = sum(dy)
  Add: {
    type: 'Add',
    ...binary,
    vjp: ({ graph, inputs: [a, b], cotangents: [dy] }) => [
      () => graph.sumTo(dy, a.shape),
      () => graph.sumTo(dy, b.shape),
    ],
  },

  // da = sum(dy), db = -sum(dy)
  Sub: {
    type: 'Sub',
    ...binary,
    vjp: ({ graph, inputs: [a, b], cotangents: [dy] }) => [
      () => graph.sumTo(dy, a.shape),
      () => graph.neg(graph.sumTo(dy, b.shape)),
    ],
  },

  // da = sum(dy · b), db = sum(dy · a)
  Mul: {
    type: 'Mul',
    ...binary,
    vjp: ({ graph, inputs: [a, b], cotangents: [dy] }) => [
      () => graph.sumTo(graph.mul(dy, b), a.shape),
      () => graph.sumTo(graph.mul(dy, a), b.shape),
    ],
  },

  // da = sum(dy / b), db = -sum(dy · y / b)
  Div: {
    type: 'Div',
    ...binary,
    vjp: ({ graph, inputs: [a, b], outputs: [y], cotangents: [dy] }) => [
      () => graph.sumTo(graph.div(dy, b), a.shape),
      () => graph.neg(graph.sumTo(graph.div(graph.mul(dy, y), b), b.shape)),
    ],
  },

  // y = c ? a : b; da = sum(c ? dy : 0), db = sum(c ? 0 : dy)
  Where: {
    type: 'Where',
    domain: '',
    attributes: noAttributes,
    shape: ([condition, a, b]) => [broadcast(condition.shape, broadcast(a.shape, b.shape))],
    dtype: ([, a, b]) => commonDType([a, b]),
    vjp: ({ graph, inputs: [condition, a, b], cotangents: [dy] }) => [
      { notDifferentiable: 'a condition is true or false' },
      () => graph.sumTo(graph.where(condition, dy, graph.scalar(0, dy.dtype)), a.shape),
      () => graph.sumTo(graph.where(condition, graph.scalar(0, dy.dtype), dy), b.shape),
    ],
  },

  // dx = dy in x's own type (between floating types; a cast to integers ends the chain)
  Cast: {
    type: 'Cast',
    domain: '',
    attributes: ({ to }) => ({ to: { int: onnxDataTypes[to] } }),
    shape: sameShape,
    dtype: (_, { to }) => [to],
    vjp: ({ graph, inputs: [x], cotangents: [dy] }) => [() => graph.cast(dy, x.dtype)],
  },
};
