import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import {
  readSafetensorsHeader,
  readTensor,
  type SafetensorsEntry,
  writeSafetensors,
} from '../../src/formats/safetensors.ts';

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const entry = (more: Partial<SafetensorsEntry> = {}): SafetensorsEntry => ({
  name: 'a',
  dtype: 'F32',
  shape: [2],
  bytes: () => [floats(1, 2)],
  ...more,
});

t.test('what was written reads back, from pieces of any size, each tensor aligned to its elements', async (t) => {
  const path = join(t.testdir(), 'model.safetensors');
  async function* piecewise() {
    for (const byte of floats(1.5, -2, 0.25)) yield Uint8Array.of(byte);
  }
  const entries = [
    entry({ name: 'half', dtype: 'BF16', shape: [1], bytes: () => [Uint8Array.of(0x80, 0x3f)] }),
    entry({ name: 'pieces', shape: [3, 1], bytes: piecewise }),
    entry({ name: 'empty', shape: [0], bytes: () => [] }),
  ];
  await writeSafetensors(path, entries, { format: 'pt' });
  const { tensors, metadata } = await readSafetensorsHeader(path);
  t.same(metadata, { format: 'pt' });
  const values: Record<string, number[]> = {};
  for (const [name, location] of tensors) values[name] = [...(await readTensor(path, location))];
  t.same(values, { half: [1], pieces: [1.5, -2, 0.25], empty: [] });
  t.equal((tensors.get('pieces')?.offset ?? 1) % 4, 0);
});

t.test('a producer that yields too few, too many or fails leaves the old file and no other', async (t) => {
  const directory = t.testdir({ 'model.safetensors': 'old' });
  const path = join(directory, 'model.safetensors');
  function* failing() {
    yield floats(1);
    throw new RangeError('broken off');
  }
  await t.rejects(writeSafetensors(path, [entry({ bytes: () => [floats(1)] })]), {
    message: /gave 4 bytes, its shape needs 8/,
  });
  await t.rejects(writeSafetensors(path, [entry({ bytes: () => [floats(1, 2, 3)] })]), { code: 'internal' });
  await t.rejects(writeSafetensors(path, [entry({ bytes: failing })]), { name: 'RangeError', message: 'broken off' });
  await t.rejects(writeSafetensors(path, [entry(), entry()]), { message: /named "a"/ });
  t.same(await readdir(directory), ['model.safetensors']);
  t.equal(await readFile(path, 'utf8'), 'old');
});

t.test('a place that cannot be written is named', async (t) => {
  const path = join(t.testdir(), 'absent', 'model.safetensors');
  await t.rejects(writeSafetensors(path, [entry()]), { code: 'file_unwritable' });
});

t.test('memory stays flat: a tensor is never held whole', async (t) => {
  const path = join(t.testdir(), 'model.safetensors');
  const piece = new Uint8Array(1 << 20);
  const pieces = 128;
  let largest = 0;
  function* megabytes() {
    for (let index = 0; index < pieces; index++) {
      largest = Math.max(largest, process.memoryUsage().arrayBuffers);
      yield piece;
    }
  }
  const before = process.memoryUsage().arrayBuffers;
  await writeSafetensors(path, [entry({ dtype: 'U8', shape: [pieces, piece.length], bytes: megabytes })]);
  t.ok(largest - before < 16 * piece.length, `${largest - before} bytes at most`);
});
