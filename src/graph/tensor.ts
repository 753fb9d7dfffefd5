import type { OnnxDataType } from '../formats/onnx.ts';

export type DType = OnnxDataType;

/** A size, or the name of a size that is known when the graph runs ('batch', 'sequence'). */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** A value of a graph under construction: no data, only what is known about it. */
export interface Tensor {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /** A gradient may be asked for it, or for something it was computed from. */
  readonly requiresGrad: boolean;
}

const FLOATING: ReadonlySet<DType> = new Set(['float16', 'bfloat16', 'float32', 'float64']);

export function isFloating(dtype: DType): boolean {
  return FLOATING.has(dtype);
}

export function describeShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function shapesEqual(left: Shape, right: Shape): boolean {
  return left.length === right.length && left.every((size, axis) => size === right[axis]);
}

/** `axis` counted from the front; negative ones count from the back. */
export function normaliseAxis(axis: number, rank: number): number {
  const normalised = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(normalised) || normalised < 0 || normalised >= rank) {
    throw new RangeError(`axis ${axis} is outside a tensor of rank ${rank}`);
  }
  return normalised;
}

/** The size of one axis; negative axes count from the back. */
export function dimension(shape: Shape, axis: number): Dim {
  const size = shape[normaliseAxis(axis, shape.length)];
  if (size === undefined) throw new RangeError(`no axis ${axis} in ${describeShape(shape)}`);
  return size;
}

/** As `dimension`, where only a known size will do. */
export function staticDimension(shape: Shape, axis: number): number {
  const size = dimension(shape, axis);
  if (typeof size === 'string') throw new TypeError(`axis ${axis} of ${describeShape(shape)} has no fixed size`);
  return size;
}

export function staticShape(shape: Shape): number[] {
  return shape.map((_, axis) => staticDimension(shape, axis));
}

export function elementCount(shape: Shape): number {
  return staticShape(shape).reduce((product, size) => product * size, 1);
}

/**
 * NumPy's broadcasting, extended to symbols: equal symbols match, and 1 with a symbol gives the symbol.
 * A number above 1 never matches a symbol, since nothing proves that they are equal.
 */
export function broadcast(left: Shape, right: Shape): Shape {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[left.length - rank + axis] ?? 1;
    const b = right[right.length - rank + axis] ?? 1;
    if (a === b || b === 1) return a;
    if (a === 1) return b;
    throw new TypeError(`shapes ${describeShape(left)} and ${describeShape(right)} do not broadcast`);
  });
}

/** Sum of sizes; symbols are kept by name, as in 'past+sequence'. */
export function addDimensions(sizes: readonly Dim[]): Dim {
  const symbols = sizes.filter((size) => typeof size === 'string');
  const known = sizes.reduce<number>((sum, size) => (typeof size === 'number' ? sum + size : sum), 0);
  if (symbols.length === 0) return known;
  return [...symbols, ...(known === 0 ? [] : [known])].join('+');
}
