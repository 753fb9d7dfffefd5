import { halfAt } from './floats.ts';

/**
 * ggml's K-quants: super-blocks of 256 values, whose sub-blocks have scales (and minima) that are themselves quantised against one
 * binary16 d (and dmin). Each product of d, scale and q is formed in float64, where it is exact, so only the store into `into` rounds;
 * in Q4_K and Q5_K it is exact in float32 as well (11 + 6 + 5 bits), in Q6_K the reference rounds once too (d s has 18 bits).
 */

const VALUES = 256;
const SUB_BLOCK = 32;

/** d[2] dmin[2] scales[12] qs[128]: x = (d s_j) q - (dmin m_j), j the sub-block of 32; s_j, m_j of 6 bits, q of 4. */
export function dequantizeQ4_K(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 144) {
    const d = halfAt(blocks, at);
    const dmin = halfAt(blocks, at + 2);
    for (let subBlock = 0; subBlock < 8; subBlock++) {
      const scale = d * scaleOf(blocks, at + 4, subBlock);
      const minimum = dmin * minimumOf(blocks, at + 4, subBlock);
      // Two sub-blocks share 32 bytes: the even one in the low, the odd one in the high four bits.
      const quants = at + 16 + (subBlock >>> 1) * SUB_BLOCK;
      const shift = (subBlock & 1) * 4;
      const target = out + subBlock * SUB_BLOCK;
      for (let index = 0; index < SUB_BLOCK; index++) {
        into[target + index] = scale * (((blocks[quants + index] ?? 0) >>> shift) & 15) - minimum;
      }
    }
  }
}

/** d[2] dmin[2] scales[12] qh[32] qs[128]: as Q4_K, with q's fifth bit in bit j of qh. */
export function dequantizeQ5_K(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 176) {
    const d = halfAt(blocks, at);
    const dmin = halfAt(blocks, at + 2);
    for (let subBlock = 0; subBlock < 8; subBlock++) {
      const scale = d * scaleOf(blocks, at + 4, subBlock);
      const minimum = dmin * minimumOf(blocks, at + 4, subBlock);
      const quants = at + 48 + (subBlock >>> 1) * SUB_BLOCK;
      const shift = (subBlock & 1) * 4;
      const target = out + subBlock * SUB_BLOCK;
      for (let index = 0; index < SUB_BLOCK; index++) {
        const low = ((blocks[quants + index] ?? 0) >>> shift) & 15;
        const fifthBit = ((blocks[at + 16 + index] ?? 0) >>> subBlock) & 1;
        into[target + index] = scale * (low | (fifthBit << 4)) - minimum;
      }
    }
  }
}

/** ql[128] qh[64] scales[16] d[2]: x = (d s_j) (q - 32), j the sub-block of 16; s_j a signed byte, q of 6 bits. */
export function dequantizeQ6_K(blocks: Uint8Array, into: Float32Array): void {
  let at = 0;
  for (let out = 0; out < into.length; out += VALUES, at += 210) {
    const d = halfAt(blocks, at + 208);
    for (let index = 0; index < VALUES; index++) {
      // Each half of 128 values takes 64 bytes of ql (values 0-63 low, 64-127 high bits) and 32 of qh (two bits for each 32 values).
      const half = index >>> 7;
      const inHalf = index & 127;
      const low = ((blocks[at + half * 64 + (inHalf & 63)] ?? 0) >>> ((inHalf >>> 6) * 4)) & 15;
      const high = ((blocks[at + 128 + half * 32 + (inHalf & 31)] ?? 0) >>> ((inHalf >>> 5) * 2)) & 3;
      const scale = ((blocks[at + 192 + (index >>> 4)] ?? 0) << 24) >> 24;
      into[out + index] = d * scale * ((low | (high << 4)) - 32);
    }
  }
}

/** Twelve bytes hold eight scales and eight minima of 6 bits: bytes 0-3 and 4-7 the first four of each, the rest spread over the others. */
function scaleOf(bytes: Uint8Array, at: number, subBlock: number): number {
  if (subBlock < 4) return (bytes[at + subBlock] ?? 0) & 63;
  return ((bytes[at + 4 + subBlock] ?? 0) & 15) | (((bytes[at + subBlock - 4] ?? 0) >>> 6) << 4);
}

function minimumOf(bytes: Uint8Array, at: number, subBlock: number): number {
  if (subBlock < 4) return (bytes[at + 4 + subBlock] ?? 0) & 63;
  return ((bytes[at + 4 + subBlock] ?? 0) >>> 4) | (((bytes[at + subBlock] ?? 0) >>> 6) << 4);
}
