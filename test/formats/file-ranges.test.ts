import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { readAhead } from '../../src/formats/file-ranges.ts';

t.test(
  'pieces make the range, as far as the file goes; each is whole until the one after it is asked for',
  async (t) => {
    const path = join(t.testdir(), 'file');
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7) & 0xff));
    await writeFile(path, bytes);
    await using file = await open(path, 'r');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1100),
        fc.nat(1100),
        fc.integer({ min: 20, max: 300 }),
        async (position, length, pieceBytes) => {
          const read: number[] = [];
          for await (const piece of readAhead(file, { position, length, pieceBytes })) {
            if (piece.length === 0 || piece.length > pieceBytes) return false;
            // the next is being read meanwhile
            await new Promise(setImmediate);
            read.push(...piece);
          }
          return bytes.subarray(position, position + length).equals(Uint8Array.from(read));
        },
      ),
    );
  },
);

t.test('who stops early neither hears of the piece that was being read nor keeps the file open', async (t) => {
  const path = join(t.testdir(), 'file');
  await writeFile(path, Buffer.alloc(100));
  const file = await open(path, 'r');
  for await (const piece of readAhead(file, { position: 0, length: 100, pieceBytes: 10 })) {
    t.equal(piece.length, 10);
    break;
  }
  await file.close();
});
