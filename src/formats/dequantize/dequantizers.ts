import { type GgmlType, ggmlTypes } from '../gguf/tensor-types.ts';
import { dequantizeQ4_0, dequantizeQ4_1, dequantizeQ5_0, dequantizeQ5_1, dequantizeQ8_0 } from './blocks-of-32.ts';
import { dequantizeQ4_K, dequantizeQ5_K, dequantizeQ6_K } from './blocks-of-256.ts';
import { dequantizeBf16, dequantizeF16, dequantizeF32 } from './floats.ts';

export interface Dequantizer {
  /** Values in a block. */
  blockSize: number;
  bytesPerBlock: number;
  /** `blocks`: n whole blocks; `into`: [n blockSize] float32. Pure but for `into`. */
  dequantize(blocks: Uint8Array, into: Float32Array): void;
}

const functions = {
  F32: dequantizeF32,
  F16: dequantizeF16,
  BF16: dequantizeBf16,
  Q8_0: dequantizeQ8_0,
  Q4_0: dequantizeQ4_0,
  Q4_1: dequantizeQ4_1,
  Q5_0: dequantizeQ5_0,
  Q5_1: dequantizeQ5_1,
  Q4_K: dequantizeQ4_K,
  Q5_K: dequantizeQ5_K,
  Q6_K: dequantizeQ6_K,
} as const satisfies Partial<Record<GgmlType, Dequantizer['dequantize']>>;

export type DequantizableType = keyof typeof functions;

export function isDequantizable(type: string): type is DequantizableType {
  return Object.hasOwn(functions, type);
}

export const dequantizableTypes: readonly DequantizableType[] = Object.keys(functions).filter(isDequantizable);

export function dequantizerOf(type: DequantizableType): Dequantizer {
  return { blockSize: ggmlTypes[type].elements, bytesPerBlock: ggmlTypes[type].bytes, dequantize: functions[type] };
}
