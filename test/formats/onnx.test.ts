import fc from 'fast-check';
import t from 'tap';
import { encodeOnnxModel } from '../../src/formats/onnx.ts';
import { integerField, packedIntegersField } from '../../src/formats/onnx-protobuf.ts';

function decodeVarint(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte, index) => value | (BigInt(byte & 0x7f) << BigInt(7 * index)), 0n);
}

t.test('a 64-bit integer of either sign survives as a varint', async (t) => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const [key, ...rest] = integerField(3, value);
      t.equal(key, 3 << 3);
      return BigInt.asIntN(64, decodeVarint(Uint8Array.from(rest))) === value;
    }),
  );
});

t.test('field numbers above 15 take a two-byte key', async (t) => {
  t.same([...integerField(20, 2)], [0xa0, 0x01, 2]);
});

t.test('a packed list is one length-delimited field', async (t) => {
  t.same([...packedIntegersField(8, [1, 300])], [(8 << 3) | 2, 3, 1, 0xac, 0x02]);
});

t.test('external data is named by file, offset and length, not copied', async (t) => {
  const model = Buffer.from(
    encodeOnnxModel({
      nodes: [],
      initializers: [
        {
          name: 'weight',
          dtype: 'bfloat16',
          shape: [2, 3],
          data: { file: 'model.safetensors', offset: 4096, length: 12 },
        },
      ],
      inputs: [],
      outputs: [],
    }),
  );
  for (const text of ['weight', 'location', 'model.safetensors', 'offset', '4096', 'length', '12']) {
    t.ok(model.includes(text), text);
  }
});
