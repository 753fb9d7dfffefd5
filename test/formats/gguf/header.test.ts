import t from 'tap';
import { parseGgufHeader } from '../../../src/formats/gguf/header.ts';
import { buildGguf, f32, type Parts, type TensorInfo, text, u8, u32, u64 } from './build-gguf.ts';

const STRING = 8;
const ARRAY = 9;
const UINT32 = 4;
const F32 = 0;
const Q8_0 = 8;

const parse = (parts: Parts, cut = 0) => {
  const bytes = buildGguf(parts);
  return parseGgufHeader(bytes.subarray(0, bytes.length - cut), bytes.length - cut, 'f');
};
const tensor = (more: Partial<TensorInfo> = {}): TensorInfo => ({
  name: 'a',
  sizes: [4],
  type: F32,
  offset: 0,
  ...more,
});

t.test('reads metadata of every kind', async (t) => {
  const { metadata } = parse({
    pairs: [
      ['uint8', 0, u8(255)],
      ['int8', 1, u8(255)],
      ['uint16', 2, Uint8Array.of(255, 255)],
      ['int16', 3, Uint8Array.of(255, 255)],
      ['uint32', UINT32, u32(2 ** 32 - 1)],
      ['int32', 5, u32(2 ** 32 - 1)],
      ['float32', 6, f32(0.5)],
      ['bool', 7, u8(1)],
      ['string', STRING, text('ü')],
      ['strings', ARRAY, Buffer.concat([u32(STRING), u64(2), text('a'), text('')])],
      ['uint64', 10, u64(2n ** 64n - 1n)],
      ['int64', 11, u64(2n ** 64n - 1n)],
      ['float64', 12, new Uint8Array(Float64Array.of(0.1).buffer)],
    ],
  });
  t.same(Object.fromEntries(metadata), {
    uint8: 255,
    int8: -1,
    uint16: 65_535,
    int16: -1,
    uint32: 2 ** 32 - 1,
    int32: -1,
    float32: 0.5,
    bool: true,
    string: 'ü',
    strings: ['a', ''],
    uint64: 2n ** 64n - 1n,
    int64: -1,
    float64: 0.1,
  });
});

t.test('locates tensors, their shape row-major, at the alignment that the file names', async (t) => {
  const alignment = 64;
  const tensors = [tensor({ sizes: [4, 3] }), tensor({ name: 'b', sizes: [32], type: Q8_0, offset: 64 })];
  const parts = {
    alignment,
    pairs: [['general.alignment', UINT32, u32(alignment)]],
    tensors,
    dataBytes: 98,
  } satisfies Parts;
  const dataStart = buildGguf({ ...parts, dataBytes: 0 }).length;
  t.same(Object.fromEntries(parse(parts).tensors), {
    a: { type: 'F32', shape: [3, 4], offset: dataStart, length: 48 },
    b: { type: 'Q8_0', shape: [32], offset: dataStart + 64, length: 34 },
  });
  t.doesNotThrow(() => parse({ version: 2 }), 'version 2 is laid out the same');
});

const number: [string, number, Uint8Array] = ['n', UINT32, u32(1)];
const faults: [what: string, parts: Parts, message: RegExp, cut?: number][] = [
  ['another magic', { magic: 'GGML' }, /does not start with "GGUF"/],
  ['version 1', { version: 1 }, /format version 1, supported are 2 and 3/],
  ['a big-endian file', { version: 3 << 24 }, /big-endian/],
  ['a count of tensors beyond the limit', { tensorCount: 2n ** 63n }, /number of tensors is 9223372036854775808/],
  ['a count of keys beyond the limit', { keyCount: 65_537 }, /65537 metadata keys/],
  ['more keys than there are', { keyCount: 40_000, pairs: [number] }, /cut short|twice/],
  [
    'more tensors than there are',
    { tensorCount: 100_000, tensors: [tensor()], dataBytes: 16 },
    /cut short|dimensions|type/,
  ],
  ['a doubled key', { pairs: [number, number] }, /key "n" twice/],
  ['an unknown kind of value', { pairs: [['n', 13, u32(1)]] }, /"n" has the unknown type 13/],
  ['a list of lists', { pairs: [['n', ARRAY, Buffer.concat([u32(ARRAY), u64(1)])]] }, /unknown type 9/],
  [
    'a list longer than the file',
    { pairs: [['n', ARRAY, Buffer.concat([u32(0), u64(10 ** 6)])]] },
    /length of "n" is 1000000/,
  ],
  ['a text longer than the limit', { pairs: [['n', STRING, u64(2n ** 40n)]] }, /length of a text is 1099511627776/],
  ['a text longer than the file', { pairs: [['n', STRING, u64(1000)]] }, /cut short/],
  ['a text that is no UTF-8', { pairs: [['n', STRING, Buffer.concat([u64(1), u8(255)])]] }, /not UTF-8/],
  ['an alignment of 0', { pairs: [['general.alignment', UINT32, u32(0)]] }, /power of two/],
  ['an alignment of 24', { pairs: [['general.alignment', UINT32, u32(24)]] }, /power of two/],
  ['an alignment of 2^31', { pairs: [['general.alignment', UINT32, u32(2 ** 31)]] }, /power of two/],
  ['an alignment in words', { pairs: [['general.alignment', STRING, text('32')]] }, /power of two/],
  ['a tensor without dimensions', { tensors: [tensor({ sizes: [] })] }, /"a" has 0 dimensions/],
  ['a tensor of five dimensions', { tensors: [tensor({ sizes: [1, 1, 1, 1, 1] })] }, /"a" has 5 dimensions/],
  [
    'a dimension beyond the limit',
    { tensors: [tensor({ sizes: [2n ** 63n] })] },
    /dimension of tensor "a" is 9223372036854775808/,
  ],
  ['dimensions that overflow', { tensors: [tensor({ sizes: [2 ** 32, 2 ** 32] })] }, /does not fit its type F32/],
  ['rows of broken blocks', { tensors: [tensor({ sizes: [33, 32], type: Q8_0 })] }, /does not fit its type Q8_0/],
  ['an unknown tensor type', { tensors: [tensor({ type: 4 })] }, /unknown type 4/],
  ['a tensor name beyond the limit', { tensors: [tensor({ name: 'a'.repeat(65) })] }, /length of a tensor name is 65/],
  ['a doubled tensor', { tensors: [tensor(), tensor({ offset: 32 })], dataBytes: 64 }, /two tensors are named "a"/],
  [
    'overlapping tensors',
    { tensors: [tensor(), tensor({ name: 'b' })], dataBytes: 64 },
    /"b" is said to start at 0, not at 32/,
  ],
  ['a gap', { tensors: [tensor({ offset: 32 })], dataBytes: 64 }, /"a" is said to start at 32, not at 0/],
  [
    'an offset that overflows',
    { tensors: [tensor({ offset: 2n ** 64n - 32n })], dataBytes: 64 },
    /said to start at 18446744073709551584/,
  ],
  ['missing data', { tensors: [tensor()], dataBytes: 16 }, /cut short: tensor "a" ends at byte/, 1],
];
for (const [what, parts, message, cut] of faults) {
  t.test(`refuses ${what} in one line`, async (t) => {
    t.throws(() => parse(parts, cut), { code: 'format_invalid', message });
    t.throws(() => parse(parts, cut), { message: /^[^\n]{1,300}$/ });
  });
}
