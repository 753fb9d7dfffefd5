import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { metadataSpans } from '../../src/formats/gguf/metadata-spans.ts';
import { encodeField, type GgufField } from '../../src/formats/gguf/write-metadata.ts';
import { readGgufHeader } from '../../src/formats/gguf.ts';
import { ggufHeader, writeGguf } from '../../src/formats/gguf-write.ts';

const kinds = {
  string: fc.string({ unit: 'grapheme' }),
  uint32: fc.nat(2 ** 31 - 1),
  int32: fc.integer(),
  float32: fc.float({ noNaN: true }),
  bool: fc.boolean(),
} as const;

const value = fc.oneof(
  ...(Object.keys(kinds) as (keyof typeof kinds)[]).map((kind) =>
    fc
      .oneof(kinds[kind], fc.array<string | number | boolean>(kinds[kind], { maxLength: 5 }))
      .map((given): { kind: keyof typeof kinds; value: Extract<GgufField, { key: string }>['value'] } => ({
        kind,
        value: given,
      })),
  ),
);
const fields = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,8}\.[a-z]{1,8}$/), value, { maxKeys: 8 })
  .map((entries): Extract<GgufField, { key: string }>[] =>
    Object.entries(entries).map(([key, rest]) => ({ key, ...rest })),
  );
const tensors = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z0-9._]{1,20}$/),
    type: fc.constantFrom('F32', 'F16', 'Q8_0' as const),
    shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 2 }).map((outer) => [...outer, 32]),
  }),
  { maxLength: 5, selector: ({ name }) => name },
);

t.test('what is written is read: keys, values, where each tensor lies and what it holds', async (t) => {
  const folder = t.testdir();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fields, tensors, fc.constantFrom(32, 64, 256), async (given, list, alignment) => {
      const path = join(folder, `${runs++}.gguf`);
      const all: GgufField[] = [...given, { key: 'general.alignment', kind: 'uint32', value: alignment }];
      const entries = list.map((tensor, index) => ({
        ...tensor,
        bytes: () => [new Uint8Array(bytesOf(tensor.type, tensor.shape)).fill(index + 1)],
      }));
      await writeGguf(path, { fields: all, alignment }, entries);
      const header = await readGgufHeader(path);
      for (const { key, value: wanted } of given) t.strictSame(header.metadata.get(key), wanted, key);
      const file = await readFile(path);
      for (const [index, { name, type, shape }] of list.entries()) {
        const found = header.tensors.get(name);
        t.match(found, { type, shape });
        const bytes = file.subarray(found?.offset, (found?.offset ?? 0) + (found?.length ?? 0));
        t.ok(bytes.length > 0 && bytes.every((byte) => byte === index + 1), name);
        t.equal((found?.offset ?? 1) % alignment, 0);
      }
      const spans = metadataSpans(file, 'x.gguf');
      t.strictSame(
        spans.fields.map(({ bytes }) => Buffer.from(bytes)),
        all.map((field) => Buffer.from(encodeField(field))),
      );
    }),
    { numRuns: 60 },
  );
});

t.test('the same header comes of its own parts', async (t) => {
  const path = new URL('../fixtures/gguf/tiny-qwen3.gguf', import.meta.url).pathname;
  const { tensors: found } = await readGgufHeader(path);
  const file = await readFile(path);
  const { version, fields: raw } = metadataSpans(file, 'tiny-qwen3.gguf');
  const entries = [...found].map(([name, { type, shape }]) => ({ name, type, shape }));
  const made = ggufHeader({ version, fields: raw.map(({ bytes }) => ({ raw: bytes })) }, entries);
  t.ok(Buffer.from(made).equals(file.subarray(0, made.length)), 'as the gguf package wrote it');
  t.equal(Math.min(...[...found.values()].map(({ offset }) => offset)), made.length);
});

function bytesOf(type: 'F32' | 'F16' | 'Q8_0', shape: readonly number[]): number {
  return (shape.reduce((product, size) => product * size, 1) * { F32: 128, F16: 64, Q8_0: 34 }[type]) / 32;
}
