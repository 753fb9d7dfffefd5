import { gradient } from '../../../src/graph/autodiff.ts';
import { createGraph, type GraphBuilder } from '../../../src/graph/builder.ts';
import { hostTensor, openSession, type RuntimeTensor, type SessionOptions } from '../../../src/graph/session.ts';
import { elementCount, type Tensor } from '../../../src/graph/tensor.ts';

export type FloatType = 'float32' | 'float64';

export interface Input {
  shape: readonly number[];
  values: Float64Array;
}

/** Anything made from the inputs; the loss is its product with fixed weights, summed. */
export type Build = (graph: GraphBuilder, inputs: readonly Tensor[]) => Tensor;

/** Numbers in [low, high) from a small linear congruential generator: the same seed gives the same test. */
export function randomValues(count: number, seed: number, low: number, high: number): Float64Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}

function lossOf(graph: GraphBuilder, result: Tensor): Tensor {
  const shape = result.shape.map(Number);
  const weights = graph.constant(randomValues(elementCount(shape), 7, -1, 1), shape, result.dtype);
  const product = graph.mul(result, weights);
  return graph.sum(
    product,
    shape.map((_, axis) => axis),
  );
}

const feed = (input: Input, dtype: FloatType): RuntimeTensor =>
  hostTensor(dtype === 'float32' ? Float32Array.from(input.values) : input.values, input.shape);

const feeds = (inputs: readonly Input[], dtype: FloatType) =>
  Object.fromEntries(inputs.map((input, index) => [`input_${index}`, feed(input, dtype)]));

function declare(inputs: readonly Input[], dtype: FloatType, build: Build) {
  const graph = createGraph();
  const tensors = inputs.map((input, index) =>
    graph.input(`input_${index}`, input.shape, dtype, { requiresGrad: true }),
  );
  return { graph, tensors, loss: lossOf(graph, build(graph, tensors)) };
}

/** Further optimisation fuses nodes into kernels that exist in float32 only. */
const IN_FLOAT64: SessionOptions = { graphOptimization: 'basic' };

/** d loss / d input for every input, by the rules of the table. */
export async function analyticGradients(
  inputs: readonly Input[],
  build: Build,
  dtype: FloatType = 'float64',
  options: SessionOptions = {},
): Promise<number[][]> {
  const { graph, tensors, loss } = declare(inputs, dtype, build);
  for (const [index, part] of gradient(graph, loss, tensors).entries()) graph.output(part, `gradient_${index}`);
  const session = await openSession(graph.build(), dtype === 'float64' ? { ...IN_FLOAT64, ...options } : options);
  try {
    const results = await session.run(feeds(inputs, dtype));
    return inputs.map((_, index) => Array.from(results[`gradient_${index}`]?.data ?? [], Number));
  } finally {
    await session.release();
  }
}

/** The same by central differences in float64: (f(x + h) - f(x - h)) / 2h, whose error is about h². */
export async function numericGradients(
  inputs: readonly Input[],
  build: Build,
  options: SessionOptions = {},
  step = 1e-5,
): Promise<number[][]> {
  const { graph, loss } = declare(inputs, 'float64', build);
  graph.output(loss, 'loss');
  const session = await openSession(graph.build(), { ...IN_FLOAT64, ...options });
  const lossAt = async (index: number, element: number, change: number) => {
    const moved = inputs.map((input, other) => ({
      ...input,
      values: other === index ? input.values.with(element, (input.values[element] ?? 0) + change) : input.values,
    }));
    return Number((await session.run(feeds(moved, 'float64')))['loss']?.data[0]);
  };
  try {
    const gradients: number[][] = [];
    for (const [index, input] of inputs.entries()) {
      const parts: number[] = [];
      for (let element = 0; element < input.values.length; element++) {
        parts.push(((await lossAt(index, element, step)) - (await lossAt(index, element, -step))) / (2 * step));
      }
      gradients.push(parts);
    }
    return gradients;
  } finally {
    await session.release();
  }
}

/** |left - right| / |right| in the Euclidean norm over all inputs together. */
export function relativeError(left: readonly number[][], right: readonly number[][]): number {
  const [a, b] = [left.flat(), right.flat()];
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const difference = Math.hypot(...a.map((value, index) => value - (b[index] ?? Number.NaN)));
  const size = Math.hypot(...b);
  return size === 0 ? difference : difference / size;
}
