import { float32ToF16 } from '../half-precision.ts';

/** The inverse of `dequantize/blocks-of-32.ts`, as ggml's reference rounds: `quantize_row_*_ref` of ggml-quants.c. */

const VALUES = 32;
const PAIRS = 16;
const fround = Math.fround;

/** d = max|x| / 127, q = round(x / d), halves away from zero. */
export function quantizeQ8_0(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / VALUES) * 34);
  for (let start = 0, at = 0; start < values.length; start += VALUES, at += 34) {
    const block = values.subarray(start, start + VALUES);
    const d = fround(block.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    const inverse = d === 0 ? 0 : fround(1 / d);
    writeHalf(bytes, at, d);
    for (const [index, value] of block.entries()) bytes[at + 2 + index] = roundAway(fround(value * inverse));
  }
  return bytes;
}

/** d = the value furthest from zero / -8, q = x / d + 8.5, cut off. */
export function quantizeQ4_0(values: Float32Array): Uint8Array {
  return symmetric(values, 8, 18, (bytes, at, quants) => packNibbles(bytes, at + 2, quants));
}

/** d = the value furthest from zero / -16, q = x / d + 16.5, cut off. */
export function quantizeQ5_0(values: Float32Array): Uint8Array {
  return symmetric(values, 16, 22, (bytes, at, quants) => {
    packFifthBits(bytes, at + 2, quants);
    packNibbles(bytes, at + 6, quants);
  });
}

/** d = (max - min) / 15, m = min, q = (x - m) / d + 0.5, cut off. */
export function quantizeQ4_1(values: Float32Array): Uint8Array {
  return affine(values, 15, 20, (bytes, at, quants) => packNibbles(bytes, at + 4, quants));
}

/** d = (max - min) / 31, m = min, q = (x - m) / d + 0.5, cut off. */
export function quantizeQ5_1(values: Float32Array): Uint8Array {
  return affine(values, 31, 24, (bytes, at, quants) => {
    packFifthBits(bytes, at + 4, quants);
    packNibbles(bytes, at + 8, quants);
  });
}

type Pack = (bytes: Uint8Array, at: number, quants: readonly number[]) => void;

function symmetric(values: Float32Array, half: number, blockBytes: number, pack: Pack): Uint8Array {
  const bytes = new Uint8Array((values.length / VALUES) * blockBytes);
  for (let start = 0, at = 0; start < values.length; start += VALUES, at += blockBytes) {
    const block = values.subarray(start, start + VALUES);
    const furthest = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    const d = fround(furthest / -half);
    const inverse = d === 0 ? 0 : fround(1 / d);
    writeHalf(bytes, at, d);
    pack(
      bytes,
      at,
      quantsOf(block, (value) => fround(fround(value * inverse) + half + 0.5), 2 * half - 1),
    );
  }
  return bytes;
}

function affine(values: Float32Array, most: number, blockBytes: number, pack: Pack): Uint8Array {
  const bytes = new Uint8Array((values.length / VALUES) * blockBytes);
  for (let start = 0, at = 0; start < values.length; start += VALUES, at += blockBytes) {
    const block = values.subarray(start, start + VALUES);
    const least = Math.min(...block);
    const d = fround(fround(Math.max(...block) - least) / most);
    const inverse = d === 0 ? 0 : fround(1 / d);
    writeHalf(bytes, at, d);
    writeHalf(bytes, at + 2, least);
    pack(
      bytes,
      at,
      quantsOf(block, (value) => fround(fround(fround(value - least) * inverse) + 0.5), most),
    );
  }
  return bytes;
}

function quantsOf(block: Float32Array, scaled: (value: number) => number, most: number): number[] {
  return Array.from(block, (value) => Math.min(most, Math.max(0, Math.trunc(scaled(value)))));
}

/** Values i and i + 16 share a byte: the low and the high four bits. */
function packNibbles(bytes: Uint8Array, at: number, quants: readonly number[]): void {
  for (let pair = 0; pair < PAIRS; pair++) {
    bytes[at + pair] = ((quants[pair] ?? 0) & 15) | (((quants[pair + PAIRS] ?? 0) & 15) << 4);
  }
}

/** Bit i of 32, little-endian, is the fifth of value i. */
function packFifthBits(bytes: Uint8Array, at: number, quants: readonly number[]): void {
  for (const [index, quant] of quants.entries()) {
    const byte = at + (index >> 3);
    bytes[byte] = (bytes[byte] ?? 0) | (((quant >> 4) & 1) << (index & 7));
  }
}

function writeHalf(bytes: Uint8Array, at: number, value: number): void {
  const half = float32ToF16(value);
  bytes[at] = half & 0xff;
  bytes[at + 1] = half >>> 8;
}

function roundAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}
