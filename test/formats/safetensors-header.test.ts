import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import { LENGTH_PREFIX_BYTES, parseSafetensorsHeader } from '../../src/formats/safetensors-header.ts';

const tensor = (begin: number, end: number, more: object = {}) => ({
  dtype: 'F32',
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
  ...more,
});

/** Parses `header` (bytes, JSON text, or what becomes it) as that of a file with `dataBytes` behind it. */
function parse(header: unknown, dataBytes: number) {
  const isWritten = typeof header === 'string' || header instanceof Uint8Array;
  const json = Buffer.from(isWritten ? header : JSON.stringify(header));
  return parseSafetensorsHeader(json, LENGTH_PREFIX_BYTES + json.length + dataBytes, 'f');
}

t.test('locates tensors by their offset in the file', async (t) => {
  const header = { b: tensor(8, 12), a: tensor(0, 8), __metadata__: { format: 'pt' } };
  const dataStart = LENGTH_PREFIX_BYTES + JSON.stringify(header).length;
  const { tensors, metadata } = parse(header, 12);
  t.same(tensors.get('b'), { dtype: 'F32', shape: [1], offset: dataStart + 8, length: 4 });
  t.same(metadata, { format: 'pt' });
});

const faults: [what: string, header: unknown, dataBytes: number, message: RegExp][] = [
  ['cut-off JSON', '{"a":', 0, /not JSON/],
  ['deep nesting', '['.repeat(1e6), 0, /not JSON/],
  ['a list', '[]', 0, /not a JSON object/],
  ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), 0, /not JSON/],
  ['metadata that is no text', { __metadata__: { n: 1 } }, 0, /__metadata__/],
  ['a doubled name', `{"a":${JSON.stringify(tensor(0, 4))},"a":${JSON.stringify(tensor(0, 4))}}`, 4, /"a" twice/],
  ['no offsets', { a: { dtype: 'F32', shape: [1] } }, 4, /lacks a well-formed/],
  ['three offsets', { a: tensor(0, 4, { data_offsets: [0, 2, 4] }) }, 4, /lacks a well-formed/],
  ['an unknown dtype', { a: tensor(0, 4, { dtype: 'F31' }) }, 4, /unknown dtype "F31"/],
  ['a dtype named like a method', { a: tensor(0, 4, { dtype: 'toString' }) }, 4, /unknown dtype/],
  ['a negative size', { a: tensor(0, 4, { shape: [-1] }) }, 4, /whole number/],
  ['two negative sizes', { a: tensor(0, 4, { shape: [-1, -1] }) }, 4, /whole number/],
  ['a broken size', { a: tensor(0, 4, { shape: [0.5, 2] }) }, 4, /whole number/],
  ['a negative offset', { a: tensor(-4, 0, { shape: [1] }) }, 4, /whole number/],
  ['sizes that overflow', { a: tensor(0, 4, { shape: [2 ** 31, 2 ** 31, 2 ** 31] }) }, 4, /too large/],
  ['nine dimensions', { a: tensor(0, 4, { shape: Array(9).fill(1) }) }, 4, /9 dimensions/],
  ['a length unlike the shape', { a: tensor(0, 8, { shape: [1] }) }, 8, /takes 8 bytes, but .* need 4/],
  ['offsets the wrong way round', { a: tensor(4, 0, { shape: [1] }) }, 4, /takes -4 bytes/],
  ['an overlap', { a: tensor(0, 8), b: tensor(4, 12) }, 12, /"b" overlaps/],
  ['two names for one place', { a: tensor(0, 4), b: tensor(0, 4) }, 4, /overlaps/],
  ['a gap', { a: tensor(0, 4), b: tensor(8, 12) }, 12, /4 bytes in front of tensor "b"/],
  ['a gap at the start', { a: tensor(4, 8) }, 8, /4 bytes in front/],
  ['missing data', { a: tensor(0, 8) }, 7, /cut short/],
  ['data of no tensor', { a: tensor(0, 4) }, 5, /1 bytes at its end/],
];
for (const [what, header, dataBytes, message] of faults) {
  t.test(`refuses ${what} in one line`, async (t) => {
    t.throws(() => parse(header, dataBytes), { code: 'format_invalid', message });
    t.throws(() => parse(header, dataBytes), { message: /^[^\n]{1,300}$/ });
  });
}

t.test('whatever the bytes, only a PreambleError is thrown', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(fc.property(bytes, (json) => parsesOrRefuses(json, 1000)));
  t.pass();
});

t.test('whatever the JSON, only a PreambleError is thrown', async (t) => {
  const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.constantFrom('F32', 'BF16', 'I8'));
  const entry = fc.record({
    dtype: value,
    shape: fc.oneof(value, fc.array(value)),
    data_offsets: fc.tuple(value, value),
  });
  const header = fc.dictionary(fc.string(), fc.oneof(entry, value));
  fc.assert(fc.property(header, (header) => parsesOrRefuses(Buffer.from(JSON.stringify(header)), 1000)));
  t.pass();
});

t.test('a valid header with one byte changed parses or is refused, and never reaches outside the file', async (t) => {
  const valid = Buffer.from(
    JSON.stringify({ a: tensor(0, 8), b: tensor(8, 16, { shape: [1, 2] }), c: tensor(16, 16) }),
  );
  const fileSize = LENGTH_PREFIX_BYTES + valid.length + 16;
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(255), (position, byte) => {
      const json = Uint8Array.from(valid);
      json[position] = byte;
      return parsesOrRefuses(json, fileSize);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

function parsesOrRefuses(json: Uint8Array, fileSize: number): boolean {
  try {
    const { tensors } = parseSafetensorsHeader(json, fileSize, 'f');
    return [...tensors.values()].every(
      ({ offset, length }) => offset >= 0 && length >= 0 && offset + length <= fileSize,
    );
  } catch (error) {
    return error instanceof PreambleError && error.code === 'format_invalid' && !error.message.includes('\n');
  }
}
