import { encodeOnnxModel, type OnnxExternalData, type OnnxNode } from '../formats/onnx.ts';
import { createInitializers } from './initializers.ts';
import type { Pullback } from './operation.ts';
import { type AttributesOf, type InputsOf, type OperationName, type OutputsOf, operations } from './operations.ts';
import { createOperators, type Operators } from './operators.ts';
import { castForEachReader } from './own-casts.ts';
import { type DType, isFloating, type Shape, type Tensor } from './tensor.ts';

/** One operation that a gradient may have to pass, in order of execution. */
export interface TapeEntry {
  name: OperationName;
  inputs: readonly (Tensor | null)[];
  outputs: readonly Tensor[];
  /** Cotangents of the outputs to those of the inputs, each computed only when called. */
  pullback(cotangents: readonly Tensor[]): readonly Pullback[];
}

export interface GraphBuilder extends Operators {
  /** Adds one operation of the table; everything else on the builder goes through here. */
  apply<Name extends OperationName>(
    name: Name,
    inputs: InputsOf<Name>,
    attributes: AttributesOf<Name>,
  ): OutputsOf<Name>;
  input(name: string, shape: Shape, dtype: DType, options?: { requiresGrad?: boolean }): Tensor;
  /** Names a result. The node that makes it takes the name, unless the tensor has a public name already. */
  output(tensor: Tensor, name: string): void;
  /** Row-major values; small ones are shared. */
  constant(values: ArrayLike<number>, shape: readonly number[], dtype: DType): Tensor;
  /** Bytes of a file in the folder that the session names; the same name gives the same tensor. */
  external(name: string, dtype: DType, shape: readonly number[], data: OnnxExternalData): Tensor;
  /** The operations recorded so far that lead from tensors with `requiresGrad`. */
  tape(): readonly TapeEntry[];
  /** The finished ONNX model; `castForEachReader` needs less memory and casts more often. */
  build(options?: { castForEachReader?: boolean }): Uint8Array;
}

export function createGraph(): GraphBuilder {
  const nodes: { node: Omit<OnnxNode, 'inputs' | 'outputs'>; inputs: string[]; outputs: string[] }[] = [];
  const inputs: Tensor[] = [];
  const outputs: { tensor: Tensor; name: string }[] = [];
  const produced = new Set<string>();
  const tape: TapeEntry[] = [];
  const initializers = createInitializers();

  const nameOf = (tensor: Tensor | null) => tensor?.name ?? '';

  function apply<Name extends OperationName>(
    name: Name,
    operationInputs: InputsOf<Name>,
    attributes: AttributesOf<Name>,
  ): OutputsOf<Name> {
    const operation = operations[name];
    const shapes: readonly Shape[] = operation.shape(operationInputs, attributes);
    const dtypes: readonly DType[] = operation.dtype(operationInputs, attributes);
    const id = nodes.length;
    const carriesGradient = operationInputs.some((input) => input?.requiresGrad);
    const made = shapes.map((shape, index): Tensor => {
      const dtype = dtypes[index];
      if (dtype === undefined) throw new TypeError(`${name} declares a shape without a type for output ${index}`);
      return { name: `${name}_${id}_${index}`, shape, dtype, requiresGrad: carriesGradient && isFloating(dtype) };
    });
    // `shape` returns one entry an output of the signature, so `made` is that tuple; the compiler cannot follow `map` there.
    const results = made as OutputsOf<Name>;

    const operands = operation.operands?.(attributes, operationInputs) ?? [];
    nodes.push({
      node: {
        name: `${name}_${id}`,
        type: operation.type,
        domain: operation.domain,
        attributes: operation.attributes(attributes, operationInputs),
      },
      inputs: withoutTrailingEmpty([
        ...(operation.onnxInputs?.(operationInputs) ?? operationInputs).map(nameOf),
        ...operands.map((values) => constant(values, [values.length], 'int64').name),
      ]),
      outputs: (operation.onnxOutputs?.(results) ?? results).map(nameOf),
    });
    for (const tensor of made) produced.add(tensor.name);

    if (made.some((tensor) => tensor.requiresGrad)) {
      tape.push({
        name,
        inputs: operationInputs,
        outputs: results,
        pullback: (received) => {
          const { vjp } = operation;
          if (typeof vjp !== 'function') return operationInputs.map(() => vjp);
          const cotangents = received as OutputsOf<Name>;
          return vjp({ graph, inputs: operationInputs, outputs: results, attributes, cotangents });
        },
      });
    }
    return results;
  }

  function constant(values: ArrayLike<number>, shape: readonly number[], dtype: DType): Tensor {
    return initializers.constant(values, shape, dtype);
  }

  const graph: GraphBuilder = {
    ...createOperators(apply, constant),
    apply,
    constant,
    external: initializers.external,
    tape: () => [...tape],

    input(name, shape, dtype, { requiresGrad = false } = {}) {
      const tensor = { name, shape, dtype, requiresGrad };
      inputs.push(tensor);
      return tensor;
    },

    output(tensor, name) {
      if (outputs.some((output) => output.name === name)) throw new TypeError(`two outputs are named ${name}`);
      const renamable = produced.has(tensor.name) && !outputs.some((output) => output.tensor.name === tensor.name);
      outputs.push({ tensor: renamable ? tensor : graph.identity(tensor), name });
    },

    build({ castForEachReader: ownCasts = false } = {}) {
      const publicNames = new Map(outputs.map(({ tensor, name }) => [tensor.name, name]));
      const rename = (name: string) => publicNames.get(name) ?? name;
      const all = nodes.map((entry) => ({
        ...entry.node,
        inputs: entry.inputs.map(rename),
        outputs: entry.outputs.map(rename),
      }));
      const constants = initializers.all();
      return encodeOnnxModel({
        nodes: ownCasts ? castForEachReader(all, new Set(constants.map(({ name }) => name))) : all,
        initializers: constants,
        inputs,
        outputs: outputs.map(({ tensor, name }) => ({ name, dtype: tensor.dtype, shape: tensor.shape })),
      });
    },
  };
  return graph;
}

/** Optional inputs at the end are left out; those in the middle keep an empty name. */
function withoutTrailingEmpty(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((name) => name !== '') + 1);
}
