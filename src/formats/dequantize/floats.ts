import { f16ToFloat32 } from '../half-precision.ts';

/** Each of these takes the little-endian bytes of whole blocks, at any alignment, and fills `into` with their values in order. */

/** x = the stored float32. */
export function dequantizeF32(blocks: Uint8Array, into: Float32Array): void {
  new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(blocks);
}

/** x = the stored binary16, widened. */
export function dequantizeF16(blocks: Uint8Array, into: Float32Array): void {
  for (let index = 0; index < into.length; index++) into[index] = halfAt(blocks, 2 * index);
}

/** x = the stored bfloat16, which is the upper half of a float32. */
export function dequantizeBf16(blocks: Uint8Array, into: Float32Array): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let index = 0; index < into.length; index++) {
    bits[index] = ((blocks[2 * index] ?? 0) << 16) | ((blocks[2 * index + 1] ?? 0) << 24);
  }
}

/** The binary16 at byte `position`. */
export function halfAt(bytes: Uint8Array, position: number): number {
  return f16ToFloat32((bytes[position] ?? 0) | ((bytes[position + 1] ?? 0) << 8));
}
