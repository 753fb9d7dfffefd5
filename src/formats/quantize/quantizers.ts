import { type GgmlType, ggmlTypes } from '../gguf/tensor-types.ts';
import { encodeBf16, float32ToF16 } from '../half-precision.ts';
import { quantizeQ4_0, quantizeQ4_1, quantizeQ5_0, quantizeQ5_1, quantizeQ8_0 } from './blocks-of-32.ts';
import { quantizeQ4_K, quantizeQ5_K, quantizeQ6_K } from './blocks-of-256.ts';

/** Each takes whole blocks of values, and gives their bytes as ggml lays them out. */
const functions = {
  F32: (values) => new Uint8Array(Float32Array.from(values).buffer),
  F16: (values) => new Uint8Array(Uint16Array.from(values, float32ToF16).buffer),
  BF16(values) {
    const halves = new Uint16Array(values.length);
    encodeBf16(values, halves);
    return new Uint8Array(halves.buffer);
  },
  Q8_0: quantizeQ8_0,
  Q4_0: quantizeQ4_0,
  Q4_1: quantizeQ4_1,
  Q5_0: quantizeQ5_0,
  Q5_1: quantizeQ5_1,
  Q4_K: quantizeQ4_K,
  Q5_K: quantizeQ5_K,
  Q6_K: quantizeQ6_K,
} as const satisfies Partial<Record<GgmlType, (values: Float32Array) => Uint8Array>>;

export type QuantizableType = keyof typeof functions;

export function isQuantizable(type: string): type is QuantizableType {
  return Object.hasOwn(functions, type);
}

export const quantizableTypes: readonly QuantizableType[] = Object.keys(functions).filter(isQuantizable);

/** `values`: n whole blocks of float32. */
export function quantize(values: Float32Array, type: QuantizableType): Uint8Array {
  if (values.length % ggmlTypes[type].elements !== 0) throw new RangeError(`${type} holds whole blocks`);
  return functions[type](values);
}
