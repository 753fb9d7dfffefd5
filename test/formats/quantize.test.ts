import fc from 'fast-check';
import t from 'tap';
import { dequantizerOf } from '../../src/formats/dequantize/dequantizers.ts';
import { type QuantizableType, quantizableTypes, quantize } from '../../src/formats/quantize/quantizers.ts';

/** Largest error of a value, as a share of the largest value of its block. */
const errors: Record<QuantizableType, number> = {
  F32: 0,
  F16: 2 ** -11,
  BF16: 2 ** -8,
  Q8_0: 0.6 / 127,
  Q4_0: 1 / 8 + 0.001,
  Q5_0: 1 / 16 + 0.001,
  Q4_1: 1.1 / 15,
  Q5_1: 1.1 / 31,
};
const block = fc.float32Array({
  minLength: 32,
  maxLength: 32,
  noNaN: true,
  noDefaultInfinity: true,
  min: -100,
  max: 100,
});

for (const type of quantizableTypes) {
  t.test(`${type}: what is read back is near what was written, and is written the same again`, (t) => {
    fc.assert(
      fc.property(block, block, (a, b) => {
        const values = Float32Array.from([...a, ...b]);
        const back = new Float32Array(64);
        dequantizerOf(type).dequantize(quantize(values, type), back);
        for (const [index, value] of values.entries()) {
          const largest = (index < 32 ? a : b).reduce((most, other) => Math.max(most, Math.abs(other)), 0);
          // below the least scale that binary16 can hold, all is zero
          const allowed = errors[type] * largest + (type === 'F32' || type === 'BF16' ? 1e-37 : 1e-5);
          if (Math.abs((back[index] ?? Number.NaN) - value) > allowed) return false;
        }
        return true;
      }),
    );
    t.end();
  });
}

t.test('Q8_0 as the gguf package makes it', (t) => {
  // gguf.quants.quantize(np.arange(-16, 16, dtype=np.float32) / 4, Q8_0)
  const values = Float32Array.from({ length: 32 }, (_, index) => (index - 16) / 4);
  const bytes = Buffer.from(quantize(values, 'Q8_0'));
  t.equal(bytes.length, 34);
  t.strictSame([...new Int8Array(bytes.buffer, bytes.byteOffset + 2, 4)], [-127, -119, -111, -103]);
  t.throws(() => quantize(new Float32Array(31), 'Q8_0'), RangeError);
  t.end();
});
