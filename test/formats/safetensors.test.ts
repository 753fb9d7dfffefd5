import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { readSafetensorsHeader, readTensor } from '../../src/formats/safetensors.ts';

const valuesSchema = Type.Object({
  values: Type.Record(Type.String(), Type.Object({ shape: Type.Array(Type.Integer()), float32: Type.String() })),
});
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/safetensors/${name}`, import.meta.url));
const mixed = fixture('mixed.safetensors');

t.test('a file of the safetensors package reads as the same numbers', async (t) => {
  const { values } = Value.Parse(valuesSchema, JSON.parse(await readFile(fixture('mixed.json'), 'utf8')));
  const { tensors, metadata } = await readSafetensorsHeader(mixed);
  t.same(metadata, { format: 'pt', 'quoted "name"': 'ü' });
  t.same([...tensors.keys()].sort(), [...Object.keys(values), 'i64', 'u8'].sort());
  for (const [name, { shape, float32 }] of Object.entries(values)) {
    const location = tensors.get(name);
    if (location === undefined) throw new Error(`${name} is missing`);
    t.same(location.shape, shape, name);
    t.equal(Buffer.from((await readTensor(mixed, location)).buffer).toString('base64'), float32, name);
  }
});

t.test('integers are no weights', async (t) => {
  const location = (await readSafetensorsHeader(mixed)).tensors.get('i64');
  if (location === undefined) throw new Error('i64 is missing');
  await t.rejects(readTensor(mixed, location), { code: 'format_invalid', message: /I64 weights cannot be read/ });
});

t.test('a file that is absent, a directory, empty, or all zeros is named and refused', async (t) => {
  const directory = t.testdir({ empty: '', zeros: '\0'.repeat(64) });
  await t.rejects(readSafetensorsHeader(join(directory, 'absent')), { code: 'file_unreadable' });
  await t.rejects(readSafetensorsHeader(directory), { code: 'file_unreadable' });
  await t.rejects(readSafetensorsHeader(join(directory, 'empty')), {
    code: 'format_invalid',
    message: /^empty is not/,
  });
  await t.rejects(readSafetensorsHeader(join(directory, 'zeros')), { code: 'format_invalid' });
});

t.test('a header length beyond the limit or the file is refused without reading it', async (t) => {
  const path = join(t.testdir(), 'model.safetensors');
  const prefix = Buffer.alloc(8);
  for (const [length, message] of [
    [2n ** 64n - 1n, /claims a header of 18446744073709551615 bytes/],
    [17n * 1024n * 1024n, /the most is 16777216/],
    [100n, /ends within its header/],
  ] as const) {
    prefix.writeBigUInt64LE(length);
    await writeFile(path, Buffer.concat([prefix, Buffer.from('{}')]));
    await t.rejects(readSafetensorsHeader(path), { code: 'format_invalid', message });
  }
});

t.test('a file that shrinks after its header was read is refused', async (t) => {
  const path = join(t.testdir(), 'mixed.safetensors');
  await writeFile(path, await readFile(mixed));
  const { tensors } = await readSafetensorsHeader(path);
  await truncate(path, 700);
  await t.rejects(
    Promise.all([...tensors.values()].filter(({ dtype }) => dtype === 'BF16').map((l) => readTensor(path, l))),
    {
      code: 'format_invalid',
      message: /ended while being read/,
    },
  );
});
