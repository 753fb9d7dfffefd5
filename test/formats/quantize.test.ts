import fc from 'fast-check';
import t from 'tap';
import { dequantizerOf } from '../../src/formats/dequantize/dequantizers.ts';
import { ggmlTypes } from '../../src/formats/gguf/tensor-types.ts';
import { type QuantizableType, quantizableTypes, quantize } from '../../src/formats/quantize/quantizers.ts';

/** Largest error of a value, as a share of the largest value of its block; of least squares a bound with room, since they ask for the sum. */
const errors: Record<QuantizableType, number> = {
  F32: 0,
  F16: 2 ** -11,
  BF16: 2 ** -8,
  Q8_0: 0.6 / 127,
  Q4_0: 1 / 8 + 0.001,
  Q5_0: 1 / 16 + 0.001,
  Q4_1: 1.1 / 15,
  Q5_1: 1.1 / 31,
  Q4_K: 3 / 15,
  Q5_K: 3 / 31,
  Q6_K: 3 / 63,
};
const blockOf = (values: number) =>
  fc.float32Array({ minLength: values, maxLength: values, noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });

for (const type of quantizableTypes) {
  t.test(`${type}: what is read back is near what was written`, (t) => {
    const size = Math.max(32, ggmlTypes[type].elements);
    fc.assert(
      fc.property(blockOf(size), blockOf(size), (a, b) => {
        const values = Float32Array.from([...a, ...b]);
        const back = new Float32Array(2 * size);
        dequantizerOf(type).dequantize(quantize(values, type), back);
        for (const [index, value] of values.entries()) {
          const largest = (index < size ? a : b).reduce((most, other) => Math.max(most, Math.abs(other)), 0);
          // below the least scale that binary16 can hold, all is zero
          const allowed = errors[type] * largest + (type === 'F32' || type === 'BF16' ? 1e-37 : 1e-5);
          if (Math.abs((back[index] ?? Number.NaN) - value) > allowed) return false;
        }
        return true;
      }),
      { numRuns: size > 32 ? 25 : 100 },
    );
    t.end();
  });
}

t.test('values that are no whole blocks are refused', (t) => {
  t.throws(() => quantize(new Float32Array(31), 'Q8_0'), RangeError);
  t.throws(() => quantize(new Float32Array(128), 'Q4_K'), RangeError);
  t.end();
});
