import type { OnnxExternalData, OnnxInitializer } from '../formats/onnx.ts';
import { type DType, elementCount, type Tensor } from './tensor.ts';

/** Constants up to this many elements are shared between all who ask for the same values. */
const MAX_SHARED_ELEMENTS = 16;

/** What a graph holds before it runs: constants, and weights that stay in their files. */
export function createInitializers() {
  const initializers: OnnxInitializer[] = [];
  const shared = new Map<string, Tensor>();

  function add(initializer: OnnxInitializer): Tensor {
    initializers.push(initializer);
    const { name, shape, dtype } = initializer;
    return { name, shape, dtype, requiresGrad: false };
  }

  function remember(key: string, make: () => Tensor): Tensor {
    const known = shared.get(key) ?? make();
    shared.set(key, known);
    return known;
  }

  return {
    constant(values: ArrayLike<number>, shape: readonly number[], dtype: DType): Tensor {
      if (values.length !== elementCount(shape)) {
        throw new TypeError(`${values.length} values do not fill a constant of shape [${shape}]`);
      }
      const make = () => add({ name: `constant_${initializers.length}`, dtype, shape, data: encode(values, dtype) });
      if (values.length > MAX_SHARED_ELEMENTS) return make();
      return remember(`${dtype}[${shape}] ${Array.from(values)}`, make);
    },

    external(name: string, dtype: DType, shape: readonly number[], data: OnnxExternalData): Tensor {
      return remember(`file ${name}`, () => add({ name, dtype, shape, data }));
    },

    all: (): readonly OnnxInitializer[] => initializers,
  };
}

/** Little-endian bytes; the machines that onnxruntime-node runs on are little-endian as well. */
function encode(values: ArrayLike<number>, dtype: DType): Uint8Array {
  const array = toTypedArray(values, dtype);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function toTypedArray(values: ArrayLike<number>, dtype: DType) {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    case 'int64':
      return BigInt64Array.from(Array.from(values, BigInt));
    case 'int32':
      return Int32Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    case 'float16':
    case 'bfloat16':
      throw new TypeError(`constants are not written as ${dtype}: write float32 and cast`);
  }
}
