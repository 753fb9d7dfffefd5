import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readSafetensorsHeader, writeSafetensors } from '../../src/formats/safetensors.ts';
import { rewriteWeights } from '../../src/graft/rewrite-weights.ts';

const SHAPE = [4, 8];

t.test(
  'rows that are there already are overwritten in a copy: every other byte stays, spaces of the header too',
  async (t) => {
    const folder = t.testdir();
    const [source, target] = [join(folder, 'source.safetensors'), join(folder, 'target.safetensors')];
    const bytes = (start: number) => () => [Uint8Array.from({ length: 64 }, (_, index) => start + index)];
    const entries = ['a', 'b'].map((name, index) => ({
      name,
      dtype: 'BF16' as const,
      shape: SHAPE,
      bytes: bytes(index * 100),
    }));
    await writeSafetensors(source, entries, { format: 'pt' });
    // a header as another writer spells it: its JSON is not in our order, and padded
    const before = await readFile(source);
    const headerBytes = Number(before.readBigUInt64LE());
    const spaced = Buffer.concat([
      before.subarray(0, 8 + headerBytes),
      Buffer.alloc(16, ' '),
      before.subarray(8 + headerBytes),
    ]);
    spaced.writeBigUInt64LE(BigInt(headerBytes + 16));
    await writeFile(source, spaced);
    await chmod(source, 0o444);

    const row = new Uint8Array(16).fill(255);
    let told = 0;
    const changes = { tensors: new Map([['b', { rows: 4, changed: new Map([[2, row]]) }]]), added: new Map() };
    await rewriteWeights(source, target, changes, (written) => {
      told += written;
    });
    const expected = Buffer.from(spaced);
    const { tensors } = await readSafetensorsHeader(source);
    expected.set(row, (tensors.get('b')?.offset ?? 0) + 2 * 16);
    t.ok((await readFile(target)).equals(expected));
    t.equal(told, spaced.length);
    t.ok((await stat(target)).mode & 0o200, 'the copy of a file that may not be written may');
    t.ok((await readFile(source)).equals(spaced), 'the source is as it was');
  },
);
