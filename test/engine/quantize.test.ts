import fc from 'fast-check';
import t from 'tap';
import { BLOCK_SIZE, type QuantizedBits, quantizedShape, quantizeMatrix } from '../../src/engine/quantize.ts';

/** What MatMulNBits computes from the packed form, straight from its documentation. */
function dequantize(
  rows: number,
  columns: number,
  bits: QuantizedBits,
  matrix: ReturnType<typeof quantizeMatrix>,
): Float32Array {
  const { blocks, valueBytesPerRow, zeroPointBytesPerRow } = quantizedShape(columns, bits);
  const unpack = (bytes: Uint8Array, base: number, index: number) =>
    bits === 8 ? (bytes[base + index] ?? 0) : ((bytes[base + (index >> 1)] ?? 0) >> (4 * (index & 1))) & 15;
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    const block = Math.floor(column / BLOCK_SIZE);
    const zero = unpack(matrix.zeroPoints, row * zeroPointBytesPerRow, block);
    return (matrix.scales[row * blocks + block] ?? 0) * (unpack(matrix.values, row * valueBytesPerRow, column) - zero);
  });
}

function relativeError(bits: QuantizedBits, weights: Float32Array, rows: number, columns: number): number {
  const back = dequantize(rows, columns, bits, quantizeMatrix(weights, rows, columns, bits));
  let error = 0;
  let norm = 0;
  weights.forEach((weight, index) => {
    error += (weight - (back[index] ?? 0)) ** 2;
    norm += weight ** 2;
  });
  return Math.sqrt(error / norm);
}

/** Sums of uniforms: near enough to the bell shape of real weights. */
function bellShaped(count: number): Float32Array {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float32Array.from({ length: count }, () => uniform() + uniform() + uniform() + uniform());
}

t.test('4 and 8 bits keep bell-shaped weights within the error expected of them', async (t) => {
  const weights = bellShaped(64 * 96);
  const four = relativeError(4, weights, 64, 96);
  const eight = relativeError(8, weights, 64, 96);
  t.comment(`figure: relative error ${four.toFixed(4)} at 4 bits, ${eight.toFixed(5)} at 8 bits`);
  t.ok(four < 0.09, '4 bits');
  t.ok(eight < 0.006, '8 bits');
});

t.test('values on a grid of 16 levels through zero come back exactly', async (t) => {
  const grid = Float32Array.from({ length: 2 * BLOCK_SIZE }, (_, index) => ((index % 16) - 5) * 0.25);
  const back = dequantize(1, grid.length, 4, quantizeMatrix(grid, 1, grid.length, 4));
  t.strictSame([...back], [...grid]);
});

t.test('every weight comes back within one step, whatever the shape', async (t) => {
  const weight = fc.float({ noNaN: true, min: -8, max: 8 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.array(weight, { minLength: 70, maxLength: 70 }),
      (columns, values) => {
        const weights = Float32Array.from(values.slice(0, columns));
        const matrix = quantizeMatrix(weights, 1, columns, 8);
        const back = dequantize(1, columns, 8, matrix);
        return weights.every((value, index) => {
          const step = matrix.scales[Math.floor(index / BLOCK_SIZE)] ?? 0;
          return Math.abs(value - (back[index] ?? 0)) <= step * 1.01 + 1e-6;
        });
      },
    ),
  );
  t.pass();
});
