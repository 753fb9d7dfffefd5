import fc from 'fast-check';
import t from 'tap';
import { decodeTorchSave } from '../../../src/formats/torch-save/read.ts';
import { encodeTorchSave, encodeTorchSaveBase64 } from '../../../src/formats/torch-save/write.ts';
import { anyTensor, small } from './support/tensors.ts';

t.test('whatever the bits, what is written is read back as it was', async (t) => {
  fc.assert(
    fc.property(anyTensor, (tensor) => {
      const { name, tensor: read } = decodeTorchSave(encodeTorchSave(tensor), 'f');
      return name === null && isSame(read, tensor);
    }),
  );
  t.pass();
});

t.test('sizes that take one, two and four bytes are read back', async (t) => {
  for (const [rows, columns] of [
    [1, 255],
    [1, 256],
    [1, 65_535],
    [1, 65_536],
    [300, 300],
    [4096, 1],
  ] as const) {
    const bytes = new Uint8Array(rows * columns * 2).fill(1);
    const tensor = { dtype: 'F16', rows, columns, bytes } as const;
    t.ok(isSame(decodeTorchSave(encodeTorchSave(tensor), 'f').tensor, tensor), `[${rows}, ${columns}]`);
  }
});

t.test('the same tensor makes the same bytes, stored and aligned to 64, with sizes and CRC-32 in front', async (t) => {
  const bytes = Buffer.from(encodeTorchSave(small));
  t.same(bytes, encodeTorchSave({ ...small, bytes: Uint8Array.from(small.bytes) }));
  const names = ['archive/data.pkl', 'archive/byteorder', 'archive/data/0', 'archive/version'];
  let at = 0;
  for (const name of names) {
    t.equal(bytes.readUInt32LE(at), 0x04034b50);
    t.equal(bytes.readUInt16LE(at + 6), 0, 'no descriptor behind the data');
    t.equal(bytes.readUInt16LE(at + 8), 0, 'stored');
    t.not(bytes.readUInt32LE(at + 14), 0, 'CRC-32');
    t.equal(bytes.toString('latin1', at + 30, at + 30 + bytes.readUInt16LE(at + 26)), name);
    const dataStart = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    t.equal(dataStart % 64, 0, `${name} is aligned`);
    at = dataStart + bytes.readUInt32LE(at + 18);
  }
  t.equal(bytes.readUInt32LE(at), 0x02014b50, 'then the directory');
});

t.test('base64 is of the same bytes, in ASCII', async (t) => {
  const full = { ...small, bytes: new Uint8Array(24).fill(0xff) };
  const ascii = encodeTorchSaveBase64(full).toString('latin1');
  t.match(ascii, /^[A-Za-z0-9+]*\/{10}[A-Za-z0-9+/]*={0,2}$/, 'the alphabet of RFC 4648, section 4');
  t.equal(ascii.length % 4, 0, 'padded');
  t.same(Buffer.from(ascii, 'base64'), encodeTorchSave(full));
});

t.test('a tensor whose bytes are not what its shape needs is not written', async (t) => {
  for (const wrong of [
    { rows: 3 },
    { rows: 0 },
    { columns: -3 },
    { rows: 1.5, columns: 4 },
    { dtype: 'BF16' as const },
  ]) {
    t.throws(() => encodeTorchSave({ ...small, ...wrong }), { code: 'internal', message: /cannot have 24 bytes/ });
  }
  t.throws(() => encodeTorchSave({ ...small, rows: 0, bytes: new Uint8Array() }), { code: 'internal' });
});

function isSame(a: typeof small, b: typeof small): boolean {
  return a.dtype === b.dtype && a.rows === b.rows && a.columns === b.columns && Buffer.compare(a.bytes, b.bytes) === 0;
}
