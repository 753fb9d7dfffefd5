import { halfAt } from './floats.ts';

/**
 * ggml's first quantisations: 32 values share a scale d and, in the `_1` types, a minimum m, both binary16. Values i and i + 16 share
 * a byte of `qs`: the low and the high four bits. A fifth bit is bit i of the 32-bit `qh`.
 * d has 11 significant bits and q at most 8, so d q is exact in float32 and only the store into `into` rounds, as the reference does.
 */

const VALUES = 32;
const PAIRS = 16;

/** d[2] qs[16]: x = d (q - 8), q of 4 bits. */
export function dequantizeQ4_0(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 18) {
    const d = halfAt(blocks, at);
    for (let pair = 0; pair < PAIRS; pair++) {
      const byte = blocks[at + 2 + pair] ?? 0;
      into[out + pair] = d * ((byte & 15) - 8);
      into[out + pair + PAIRS] = d * ((byte >>> 4) - 8);
    }
  }
}

/** d[2] m[2] qs[16]: x = d q + m, q of 4 bits. */
export function dequantizeQ4_1(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 20) {
    const d = halfAt(blocks, at);
    const m = halfAt(blocks, at + 2);
    for (let pair = 0; pair < PAIRS; pair++) {
      const byte = blocks[at + 4 + pair] ?? 0;
      into[out + pair] = d * (byte & 15) + m;
      into[out + pair + PAIRS] = d * (byte >>> 4) + m;
    }
  }
}

/** d[2] qh[4] qs[16]: x = d (q - 16), q of 5 bits. */
export function dequantizeQ5_0(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 22) {
    const d = halfAt(blocks, at);
    const high = fifthBits(blocks, at + 2);
    for (let pair = 0; pair < PAIRS; pair++) {
      const byte = blocks[at + 6 + pair] ?? 0;
      into[out + pair] = d * (((byte & 15) | (((high >>> pair) & 1) << 4)) - 16);
      into[out + pair + PAIRS] = d * (((byte >>> 4) | (((high >>> (pair + PAIRS)) & 1) << 4)) - 16);
    }
  }
}

/** d[2] m[2] qh[4] qs[16]: x = d q + m, q of 5 bits. */
export function dequantizeQ5_1(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 24) {
    const d = halfAt(blocks, at);
    const m = halfAt(blocks, at + 2);
    const high = fifthBits(blocks, at + 4);
    for (let pair = 0; pair < PAIRS; pair++) {
      const byte = blocks[at + 8 + pair] ?? 0;
      into[out + pair] = d * ((byte & 15) | (((high >>> pair) & 1) << 4)) + m;
      into[out + pair + PAIRS] = d * ((byte >>> 4) | (((high >>> (pair + PAIRS)) & 1) << 4)) + m;
    }
  }
}

/** d[2] qs[32]: x = d q, q a signed byte. */
export function dequantizeQ8_0(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 34) {
    const d = halfAt(blocks, at);
    for (let index = 0; index < VALUES; index++) into[out + index] = d * (((blocks[at + 2 + index] ?? 0) << 24) >> 24);
  }
}

function fifthBits(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
