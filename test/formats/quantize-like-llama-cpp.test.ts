import { readFile } from 'node:fs/promises';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { dequantizerOf } from '../../src/formats/dequantize/dequantizers.ts';
import { isQuantizable, quantize } from '../../src/formats/quantize/quantizers.ts';

/** These are written by a formula; the K-quants are searched for, and there are many ways to search. */
const EXACT = new Set(['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']);
/** Rounding of the sums that are compared. */
const ROUNDING = 1 + 1e-5;

const recordSchema = Type.Object({
  width: Type.Integer(),
  values: Type.String(),
  blocks: Type.Record(Type.String(), Type.String()),
});
const fixture = new URL('../fixtures/gguf/quantize.json', import.meta.url);
const { width, values: recorded, blocks } = Value.Parse(recordSchema, JSON.parse(await readFile(fixture, 'utf8')));
const values = new Float32Array(Uint8Array.from(Buffer.from(recorded, 'base64')).buffer);

for (const [type, base64] of Object.entries(blocks)) {
  t.test(`${type} beside llama.cpp's own quantiser`, (t) => {
    if (!isQuantizable(type)) throw new Error('recorded what we cannot write');
    const theirs = Buffer.from(base64, 'base64');
    const ours = quantize(values, type);
    if (EXACT.has(type)) {
      t.equal(Buffer.compare(ours, theirs), 0, 'bit for bit');
      t.end();
      return;
    }
    t.equal(ours.length, theirs.length);
    const [read, readTheirs] = [new Float32Array(values.length), new Float32Array(values.length)];
    dequantizerOf(type).dequantize(ours, read);
    dequantizerOf(type).dequantize(theirs, readTheirs);
    const errorsOf = (of: Float32Array) =>
      Array.from({ length: values.length / width }, (_, row) =>
        of
          .subarray(row * width, (row + 1) * width)
          .reduce((sum, value, index) => sum + (value - (values[row * width + index] ?? 0)) ** 2, 0),
      );
    const allowed = errorsOf(readTheirs);
    const worse = errorsOf(read).flatMap((error, row) => (error <= (allowed[row] ?? 0) * ROUNDING ? [] : [row]));
    t.strictSame(worse, [], 'no row is further from the values than theirs');
    t.end();
  });
}
