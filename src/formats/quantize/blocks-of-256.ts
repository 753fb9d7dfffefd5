import { f16ToFloat32, float32ToF16 } from '../half-precision.ts';
import { fitLine, fitScale, type Line, level, lineError, scaleError, signedLevel } from './fit.ts';

/**
 * The inverse of `dequantize/blocks-of-256.ts`. Each sub-block is fitted by least squares; then d (and dmin) are set so that the largest scale (and
 * minimum) takes the largest number, and each sub-block takes that of the neighbouring numbers with which its values come out best.
 */

const VALUES = 256;
const LINES = 8;
const SUB_BLOCK = 32;
/** Scales and minima have 6 bits. */
const MOST_SCALE = 63;
const Q6_SUB_BLOCK = 16;
const Q6_HALF = 32;
/** Q6_K's scales are signed bytes; d gets the sign for which the largest is -128. */
const Q6_SCALES = 128;

/** d[2] dmin[2] scales[12] qs[128]: x = (d s_j) q - (dmin m_j), q of 4 bits. */
export function quantizeQ4_K(values: Float32Array): Uint8Array {
  return affine(values, 15, 144, (bytes, at, quants) => packNibbles(bytes, at + 16, quants));
}

/** d[2] dmin[2] scales[12] qh[32] qs[128]: as Q4_K, with q's fifth bit in bit j of qh. */
export function quantizeQ5_K(values: Float32Array): Uint8Array {
  return affine(values, 31, 176, (bytes, at, quants) => {
    for (const [index, quant] of quants.entries()) or(bytes, at + 16 + (index & 31), (quant >>> 4) << (index >>> 5));
    packNibbles(bytes, at + 48, quants);
  });
}

/** ql[128] qh[64] scales[16] d[2]: x = (d s_j) (q - 32), q of 6 bits. */
export function quantizeQ6_K(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / VALUES) * 210);
  for (let start = 0, at = 0; start < values.length; start += VALUES, at += 210) {
    const parts = split(values.subarray(start, start + VALUES), Q6_SUB_BLOCK);
    const wanted = parts.map((part) => fitScale(part, Q6_HALF));
    const largest = wanted.reduce((most, scale) => (Math.abs(scale) > Math.abs(most) ? scale : most), 0);
    const d = writeHalf(bytes, at + 208, largest / -Q6_SCALES);
    for (const [subBlock, part] of parts.entries()) {
      const scale = bestOf(neighbours((wanted[subBlock] ?? 0) / d, -Q6_SCALES, Q6_SCALES - 1), (s) =>
        scaleError(part, d * s, Q6_HALF),
      );
      bytes[at + 192 + subBlock] = scale;
      for (const [inPart, value] of part.entries()) {
        const quant = signedLevel(value, d * scale, Q6_HALF) + Q6_HALF;
        const index = subBlock * Q6_SUB_BLOCK + inPart;
        const [half, inHalf] = [index >>> 7, index & 127];
        or(bytes, at + half * 64 + (inHalf & 63), (quant & 15) << ((inHalf >>> 6) * 4));
        or(bytes, at + 128 + half * 32 + (inHalf & 31), (quant >>> 4) << ((inHalf >>> 5) * 2));
      }
    }
  }
  return bytes;
}

function affine(
  values: Float32Array,
  most: number,
  blockBytes: number,
  pack: (bytes: Uint8Array, at: number, quants: Uint8Array) => void,
): Uint8Array {
  const bytes = new Uint8Array((values.length / VALUES) * blockBytes);
  const quants = new Uint8Array(VALUES);
  for (let start = 0, at = 0; start < values.length; start += VALUES, at += blockBytes) {
    const parts = split(values.subarray(start, start + VALUES), SUB_BLOCK);
    const wanted = parts.map((part) => fitLine(part, most));
    const d = writeHalf(bytes, at, Math.max(...wanted.map(({ scale }) => scale)) / MOST_SCALE);
    const dmin = writeHalf(bytes, at + 2, Math.max(...wanted.map(({ minimum }) => minimum)) / MOST_SCALE);
    for (const [subBlock, part] of parts.entries()) {
      const { scale, minimum } = nearestLine(part, wanted[subBlock] ?? { scale: 0, minimum: 0 }, { d, dmin, most });
      packScale(bytes, at + 4, subBlock, scale, minimum);
      for (const [index, value] of part.entries()) {
        quants[subBlock * SUB_BLOCK + index] = level(value, d * scale, dmin * minimum, most);
      }
    }
    pack(bytes, at, quants);
  }
  return bytes;
}

/** The whole numbers around a line's scale / d and minimum / dmin that hold the values best. */
function nearestLine(
  values: Float32Array,
  line: Line,
  { d, dmin, most }: { d: number; dmin: number; most: number },
): Line {
  const minima = neighbours(line.minimum / dmin, 0, MOST_SCALE);
  const pairs = neighbours(line.scale / d, 0, MOST_SCALE).flatMap((scale) =>
    minima.map((minimum) => ({ scale, minimum })),
  );
  return bestOf(pairs, ({ scale, minimum }) => lineError(values, { scale: d * scale, minimum: dmin * minimum }, most));
}

/** Whole numbers from two below to two above, as far as they may go; a quotient by zero counts as zero. */
function neighbours(quotient: number, least: number, most: number): number[] {
  const middle = Number.isFinite(quotient) ? Math.round(quotient) : 0;
  return [0, -1, 1, -2, 2].map((step) => Math.min(most, Math.max(least, middle + step)));
}

function bestOf<Candidate>(candidates: readonly Candidate[], errorOf: (candidate: Candidate) => number): Candidate {
  const rated = candidates.map((candidate) => ({ candidate, error: errorOf(candidate) }));
  return rated.reduce((best, other) => (other.error < best.error ? other : best)).candidate;
}

function split(block: Float32Array, size: number): Float32Array[] {
  return Array.from({ length: VALUES / size }, (_, index) => block.subarray(index * size, (index + 1) * size));
}

/** Twelve bytes hold eight scales and eight minima of 6 bits: bytes 0-3 and 4-7 the first four of each, the rest spread over the others. */
function packScale(bytes: Uint8Array, at: number, subBlock: number, scale: number, minimum: number): void {
  const isFirstHalf = subBlock < LINES / 2;
  if (isFirstHalf) {
    or(bytes, at + subBlock, scale);
    or(bytes, at + 4 + subBlock, minimum);
  } else {
    or(bytes, at + 4 + subBlock, (scale & 15) | ((minimum & 15) << 4));
    or(bytes, at + subBlock - 4, (scale >>> 4) << 6);
    or(bytes, at + subBlock, (minimum >>> 4) << 6);
  }
}

/** Two sub-blocks share 32 bytes: the even one in the low, the odd one in the high four bits. */
function packNibbles(bytes: Uint8Array, at: number, quants: Uint8Array): void {
  for (const [index, quant] of quants.entries()) {
    or(bytes, at + (index >>> 6) * SUB_BLOCK + (index & 31), (quant & 15) << (((index >>> 5) & 1) * 4));
  }
}

function or(bytes: Uint8Array, at: number, bits: number): void {
  bytes[at] = (bytes[at] ?? 0) | bits;
}

/** Gives the number as it will be read. */
function writeHalf(bytes: Uint8Array, at: number, value: number): number {
  const half = float32ToF16(value);
  bytes[at] = half & 0xff;
  bytes[at + 1] = half >>> 8;
  return f16ToFloat32(half);
}
