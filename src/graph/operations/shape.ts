import { type NoAttributes, noAttributes, type OperationTable, sameDType } from '../operation.ts';
import {
  addDimensions,
  type Dim,
  describeShape,
  dimension,
  elementCount,
  normaliseAxis,
  type Shape,
  shapesEqual,
  staticDimension,
  type Tensor,
} from '../tensor.ts';

export interface ShapeSignatures {
  Reshape: { inputs: readonly [Tensor]; attributes: { shape: Shape }; outputs: readonly [Tensor] };
  Transpose: { inputs: readonly [Tensor]; attributes: { permutation: readonly number[] }; outputs: readonly [Tensor] };
  Expand: { inputs: readonly [Tensor]; attributes: { shape: Shape }; outputs: readonly [Tensor] };
  Unsqueeze: { inputs: readonly [Tensor]; attributes: { axis: number }; outputs: readonly [Tensor] };
  Concat: { inputs: readonly Tensor[]; attributes: { axis: number }; outputs: readonly [Tensor] };
  Split: {
    inputs: readonly [Tensor];
    attributes: { axis: number; sizes: readonly number[] };
    outputs: readonly Tensor[];
  };
  Gather: { inputs: readonly [Tensor, Tensor]; attributes: { axis: number }; outputs: readonly [Tensor] };
  /** output = data, plus updates[i] added at row indices[i]. */
  ScatterRowsAdd: { inputs: readonly [Tensor, Tensor, Tensor]; attributes: NoAttributes; outputs: readonly [Tensor] };
}

const replaceAxis = (shape: Shape, axis: number, size: Dim): Shape =>
  shape.map((old, index) => (index === normaliseAxis(axis, shape.length) ? size : old));

export const shapeOperations: OperationTable<ShapeSignatures> = {
  // dx = dy in x's shape
  Reshape: {
    type: 'Reshape',
    domain: '',
    attributes: noAttributes,
    operands: ({ shape }, [input]) => [reshapeOperand(input.shape, shape)],
    shape: (_, { shape }) => [shape],
    dtype: sameDType,
    vjp: ({ graph, inputs: [x], cotangents: [dy] }) => [() => graph.reshape(dy, x.shape)],
  },

  // dx = dy under the inverse permutation
  Transpose: {
    type: 'Transpose',
    domain: '',
    attributes: ({ permutation }) => ({ perm: { ints: permutation } }),
    shape: ([input], { permutation }) => [permutation.map((axis) => dimension(input.shape, axis))],
    dtype: sameDType,
    vjp: ({ graph, attributes: { permutation }, cotangents: [dy] }) => [
      () =>
        graph.transpose(
          dy,
          permutation.map((_, axis) => permutation.indexOf(axis)),
        ),
    ],
  },

  // dx = sum(dy) over what was repeated
  Expand: {
    type: 'Expand',
    domain: '',
    attributes: noAttributes,
    operands: ({ shape }, [input]) => [expandOperand(input.shape, shape)],
    shape: (_, { shape }) => [shape],
    dtype: sameDType,
    vjp: ({ graph, inputs: [x], cotangents: [dy] }) => [() => graph.sumTo(dy, x.shape)],
  },

  // dx = dy in x's shape
  Unsqueeze: {
    type: 'Unsqueeze',
    domain: '',
    attributes: noAttributes,
    operands: ({ axis }) => [[axis]],
    shape: ([input], { axis }) => [input.shape.toSpliced(normaliseAxis(axis, input.shape.length + 1), 0, 1)],
    dtype: sameDType,
    vjp: ({ graph, inputs: [x], cotangents: [dy] }) => [() => graph.reshape(dy, x.shape)],
  },

  // dxᵢ = the part of dy that came from xᵢ
  Concat: {
    type: 'Concat',
    domain: '',
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    shape: (inputs, { axis }) => [concatenatedShape(inputs, axis)],
    dtype: ([first]) => [firstOf(first).dtype],
    vjp: ({ graph, inputs, attributes: { axis }, cotangents: [dy] }) => {
      let parts: readonly Tensor[] | undefined;
      return inputs.map((_, index) => () => {
        parts ??= graph.split(
          dy,
          inputs.map((input) => staticDimension(input.shape, axis)),
          axis,
        );
        return firstOf(parts[index]);
      });
    },
  },

  // dx = concat(dy₁, dy₂, …)
  Split: {
    type: 'Split',
    domain: '',
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    operands: ({ sizes }) => [sizes],
    shape: ([input], { axis, sizes }) => {
      const whole = dimension(input.shape, axis);
      const sum = addDimensions(sizes);
      if (typeof whole === 'number' && whole !== sum) throw new TypeError(`${sizes} do not add up to ${whole}`);
      return sizes.map((size) => replaceAxis(input.shape, axis, size));
    },
    dtype: ([input], { sizes }) => sizes.map(() => input.dtype),
    vjp: ({ graph, attributes: { axis }, cotangents }) => [() => graph.concat(cotangents, axis)],
  },

  // y = x[…, indices, …]; dx = zeros, plus dy added at the indices
  Gather: {
    type: 'Gather',
    domain: '',
    attributes: ({ axis }) => ({ axis: { int: axis } }),
    shape: ([data, indices], { axis }) => [
      data.shape.toSpliced(normaliseAxis(axis, data.shape.length), 1, ...indices.shape),
    ],
    dtype: sameDType,
    vjp: ({ graph, inputs: [data, indices], attributes, cotangents: [dy] }) => [
      () => {
        const axis = normaliseAxis(attributes.axis, data.shape.length);
        // bring the gathered axis to the front, add rows there, and put it back
        const dataAxes = data.shape.map((_, index) => index);
        const toFront = [axis, ...dataAxes.filter((index) => index !== axis)];
        const gathered = indices.shape.map((_, index) => axis + index);
        const gatheredFirst = [...gathered, ...dy.shape.map((_, index) => index).filter((i) => !gathered.includes(i))];
        const zeros = graph.zeros(
          toFront.map((index) => dimension(data.shape, index)),
          dy.dtype,
        );
        const sum = graph.scatterRowsAdd(zeros, indices, graph.transpose(dy, gatheredFirst));
        return graph.transpose(
          sum,
          dataAxes.map((index) => toFront.indexOf(index)),
        );
      },
      { notDifferentiable: 'an index is discrete' },
    ],
  },

  // dData = dy, dUpdates = dy[indices]
  ScatterRowsAdd: {
    type: 'ScatterND',
    domain: '',
    attributes: () => ({ reduction: { string: 'add' } }),
    shape: ([data]) => [data.shape],
    dtype: sameDType,
    vjp: ({ graph, inputs: [, indices], cotangents: [dy] }) => [
      () => dy,
      { notDifferentiable: 'an index is discrete' },
      () => graph.gather(dy, graph.reshape(indices, indices.shape.slice(0, -1)), 0),
    ],
  },
};

/** 0 copies the input's size at that place, -1 stands for the one size that is left over. */
function reshapeOperand(from: Shape, to: Shape): number[] {
  const symbolic = [...from, ...to].some((size) => typeof size === 'string');
  if (!symbolic && elementCount(from) !== elementCount(to)) throw reshapeError(from, to);
  const operand = to.map((size, axis) => (typeof size === 'number' ? size : size === from[axis] ? 0 : -1));
  if (operand.filter((size) => size === -1).length > 1) throw reshapeError(from, to);
  return operand;
}

const reshapeError = (from: Shape, to: Shape) =>
  new TypeError(`cannot reshape ${describeShape(from)} to ${describeShape(to)}`);

/** Sizes that stay as they are can be given as 1, which is how symbolic ones pass. */
function expandOperand(from: Shape, to: Shape): number[] {
  const offset = to.length - from.length;
  return to.map((size, axis) => {
    if (size === from[axis - offset]) return 1;
    if (typeof size === 'number') return size;
    throw new TypeError(`cannot expand ${describeShape(from)} to ${describeShape(to)}: ${size} is not known yet`);
  });
}

function concatenatedShape(inputs: readonly Tensor[], axis: number): Shape {
  const { shape } = firstOf(inputs[0]);
  for (const input of inputs) {
    if (!shapesEqual(replaceAxis(input.shape, axis, 0), replaceAxis(shape, axis, 0))) {
      throw new TypeError(`cannot join ${describeShape(shape)} and ${describeShape(input.shape)} along axis ${axis}`);
    }
  }
  return replaceAxis(shape, axis, addDimensions(inputs.map((input) => dimension(input.shape, axis))));
}

function firstOf(tensor: Tensor | undefined): Tensor {
  if (tensor === undefined) throw new TypeError('an operation over no tensors');
  return tensor;
}
