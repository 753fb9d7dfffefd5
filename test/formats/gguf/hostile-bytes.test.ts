import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../../src/errors.ts';
import { parseGgufHeader } from '../../../src/formats/gguf/header.ts';
import { buildGguf } from './build-gguf.ts';

const real = await readFile(new URL('../../fixtures/gguf/tiny-llama.gguf', import.meta.url));
/** Magic, version, two counts and the first keys: the part of the real file where one byte decides most. */
const HEADER_BYTES = 1200;

t.test('whatever follows the magic, only a PreambleError is thrown', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(fc.property(bytes, (tail) => parsesOrRefuses(Buffer.concat([Buffer.from('GGUF\x03\0\0\0'), tail]))));
  fc.assert(fc.property(bytes, parsesOrRefuses));
  t.pass();
});

t.test('whatever the types, counts and offsets of a well-framed file, only a PreambleError is thrown', async (t) => {
  const count = fc.oneof(fc.nat(4), fc.bigInt(0n, 2n ** 64n - 1n));
  const parts = fc.record({
    version: fc.constantFrom(2, 3),
    keyCount: count,
    tensorCount: count,
    pairs: fc.array(fc.tuple(fc.string(), fc.nat(13), fc.uint8Array()), { maxLength: 4 }),
    tensors: fc.array(
      fc.record({ name: fc.string(), sizes: fc.array(count, { maxLength: 5 }), type: fc.nat(40), offset: count }),
      { maxLength: 4 },
    ),
    dataBytes: fc.nat(500),
  });
  fc.assert(fc.property(parts, (parts) => parsesOrRefuses(buildGguf(parts))));
  t.pass();
});

t.test('a real file with one byte changed parses or is refused, and no tensor reaches outside it', async (t) => {
  fc.assert(
    fc.property(fc.nat(HEADER_BYTES), fc.nat(255), (position, byte) => {
      const bytes = Uint8Array.from(real);
      bytes[position] = byte;
      return parsesOrRefuses(bytes);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('a real file is refused wherever it is cut', async (t) => {
  fc.assert(
    fc.property(fc.nat(real.length - 1), (length) => {
      const cut = real.subarray(0, length);
      return refusal(() => parseGgufHeader(cut, cut.length, 'f')) !== null;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

function parsesOrRefuses(bytes: Uint8Array): boolean {
  let header: ReturnType<typeof parseGgufHeader> | undefined;
  const refused = refusal(() => {
    header = parseGgufHeader(bytes, bytes.length, 'f');
  });
  if (refused !== null) return !refused.message.includes('\n');
  const locations = [...(header?.tensors.values() ?? [])];
  return locations.every(({ offset, length }) => offset >= 0 && length >= 0 && offset + length <= bytes.length);
}

/** The `format_invalid` that `parse` threw, null if none; any other error is thrown on. */
function refusal(parse: () => void): PreambleError | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof PreambleError && error.code === 'format_invalid') return error;
    throw error;
  }
}
