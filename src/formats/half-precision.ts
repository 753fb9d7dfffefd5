/** Conversions between float32 and the two 16-bit floats of checkpoints: bfloat16 and IEEE 754 binary16. */

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

function float32ToBits(value: number): number {
  float32[0] = value;
  return bits32[0] ?? 0;
}

function bitsToFloat32(bits: number): number {
  bits32[0] = bits;
  return float32[0] ?? 0;
}

/** bfloat16 is the upper half of a float32. */
export function bf16ToFloat32(bits: number): number {
  return bitsToFloat32(bits << 16);
}

/** Rounds to nearest, ties to even; a NaN stays a (quiet) NaN. */
export function float32ToBf16(value: number): number {
  const bits = float32ToBits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** binary16: sign 1, exponent 5 (bias 15), fraction 10 bits. Exact. */
export function f16ToFloat32(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return bitsToFloat32(sign | 0x7f800000 | (fraction << 13));
  if (exponent === 0) return (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
  return bitsToFloat32(sign | ((exponent + 112) << 23) | (fraction << 13));
}

/** Rounds to nearest, ties to even; beyond 65504 plus half a unit it overflows to infinity. */
export function float32ToF16(value: number): number {
  const bits = float32ToBits(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 a half is subnormal: a multiple of 2^-24.
  if (magnitude < 0x38800000) return sign | roundHalfToEven(bitsToFloat32(magnitude) * 2 ** 24);
  const rebiased = magnitude - (112 << 23);
  return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const remainder = value - floor;
  if (remainder === 0.5) return floor + (floor & 1);
  return remainder > 0.5 ? floor + 1 : floor;
}

/** Rounds `values` into `into` (same length). */
export function encodeBf16(values: Float32Array, into: Uint16Array): void {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < source.length; index++) {
    const bits = source[index] ?? 0;
    into[index] =
      (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

/** Widens `halves` into `into` (same length). */
export function decodeBf16(halves: Uint16Array, into: Float32Array): void {
  const target = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let index = 0; index < halves.length; index++) target[index] = (halves[index] ?? 0) << 16;
}

/** Widens `halves` into `into` (same length). */
export function decodeF16(halves: Uint16Array, into: Float32Array): void {
  for (let index = 0; index < halves.length; index++) into[index] = f16ToFloat32(halves[index] ?? 0);
}
