import { readFile } from 'node:fs/promises';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { dequantizableTypes, dequantizerOf } from '../../../src/formats/dequantize/dequantizers.ts';

const recordSchema = Type.Object({
  cases: Type.Record(Type.String(), Type.Object({ blocks: Type.String(), values: Type.String() })),
});
const fixture = new URL('../../fixtures/gguf/dequantize.json', import.meta.url);
const { cases } = Value.Parse(recordSchema, JSON.parse(await readFile(fixture, 'utf8')));

t.same(Object.keys(cases).sort(), [...dequantizableTypes].sort(), 'every type has a recorded case');

for (const type of dequantizableTypes) {
  t.test(`${type} equals the gguf package's dequantisation bit for bit`, async (t) => {
    const recorded = cases[type];
    if (recorded === undefined) throw new Error('not recorded');
    const blocks = Buffer.from(recorded.blocks, 'base64');
    const expected = Buffer.from(recorded.values, 'base64');
    const { blockSize, bytesPerBlock, dequantize } = dequantizerOf(type);
    const values = new Float32Array((blocks.length / bytesPerBlock) * blockSize);
    // one byte off, as blocks lie in a file
    const unaligned = new Uint8Array(blocks.length + 1).subarray(1);
    unaligned.set(blocks);
    dequantize(unaligned, values);
    t.equal(values.byteLength, expected.length);
    t.equal(Buffer.compare(Buffer.from(values.buffer), expected), 0);
  });
}
