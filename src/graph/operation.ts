import type { OnnxAttribute } from '../formats/onnx.ts';
import type { GraphBuilder } from './builder.ts';
import type { DType, Shape, Tensor } from './tensor.ts';

/** What an operation takes and gives; null stands for an optional input that is absent. */
export interface Signature {
  inputs: readonly (Tensor | null)[];
  attributes: object;
  outputs: readonly Tensor[];
}

export type NoAttributes = Readonly<Record<string, never>>;

export interface Unary {
  inputs: readonly [Tensor];
  attributes: NoAttributes;
  outputs: readonly [Tensor];
}

export interface Binary {
  inputs: readonly [Tensor, Tensor];
  attributes: NoAttributes;
  outputs: readonly [Tensor];
}

/** The same number of things as there are outputs. */
export type ForEach<Tuple extends readonly unknown[], Value> = { readonly [Index in keyof Tuple]: Value };

export interface NotDifferentiable {
  /** Why there is no derivative; part of the error when one is asked for. */
  notDifferentiable: string;
}

export interface PullbackContext<S extends Signature> {
  graph: GraphBuilder;
  inputs: S['inputs'];
  outputs: S['outputs'];
  attributes: S['attributes'];
  /** d loss / d output for each output; zeros where nothing depends on one. */
  cotangents: S['outputs'];
}

/** Computes d loss / d input when called, or says why there is none. */
export type Pullback = (() => Tensor) | NotDifferentiable;

/** Everything the graph knows about one operation; the tables are complete because every field is required. */
export interface Operation<S extends Signature> {
  /** ONNX's operator name and domain ('' is ONNX's own). */
  type: string;
  domain: '' | 'com.microsoft';
  attributes(attributes: S['attributes'], inputs: S['inputs']): Readonly<Record<string, OnnxAttribute>>;
  /** Where ONNX's order of inputs or outputs differs from the signature's: null leaves a place empty. */
  onnxInputs?(inputs: S['inputs']): readonly (Tensor | null)[];
  onnxOutputs?(outputs: S['outputs']): readonly (Tensor | null)[];
  /** int64 vectors that ONNX wants as further inputs (axes, sizes). */
  operands?(attributes: S['attributes'], inputs: S['inputs']): readonly (readonly number[])[];
  shape(inputs: S['inputs'], attributes: S['attributes']): ForEach<S['outputs'], Shape>;
  dtype(inputs: S['inputs'], attributes: S['attributes']): ForEach<S['outputs'], DType>;
  /** The vector-Jacobian product: from the outputs' cotangents to the inputs'. */
  vjp: ((context: PullbackContext<S>) => ForEach<S['inputs'], Pullback>) | NotDifferentiable;
}

export type OperationTable<Signatures extends { [Name in keyof Signatures]: Signature }> = {
  readonly [Name in keyof Signatures]: Operation<Signatures[Name]>;
};

export const noAttributes = () => ({});
export const sameDType = ([input]: readonly [Tensor, ...unknown[]]): readonly [DType] => [input.dtype];
export const sameShape = ([input]: readonly [Tensor, ...unknown[]]): readonly [Shape] => [input.shape];

/** Binary operators need equal element types; ONNX converts nothing by itself. */
export function commonDType([left, right]: readonly [Tensor, Tensor, ...unknown[]]): readonly [DType] {
  if (left.dtype !== right.dtype) {
    throw new TypeError(`${left.name} is ${left.dtype} and ${right.name} is ${right.dtype}: add a cast`);
  }
  return [left.dtype];
}
