import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { MAX_LINE_BYTES, openLog, readLines } from '../../src/logs/log-lines.ts';
import { collect } from '../helpers/build.ts';

const read = (bytes: Uint8Array[], onBytes = (_: number) => {}) =>
  collect(readLines(openLog('-', Readable.from(bytes, { objectMode: false })), onBytes));

t.test('lines are whole however the bytes are cut, gzipped or not', async (t) => {
  const texts = fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' ')));
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(texts, cuts, fc.boolean(), async (lines, at, zipped) => {
      const plain = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const bytes = zipped ? gzipSync(plain) : plain;
      const bounds = [0, ...at.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const pieces = bounds.slice(1).map((end, index) => bytes.subarray(bounds[index] ?? 0, end));
      let counted = 0;
      const found = await read(
        pieces.filter(({ length }) => length > 1 || bytes.length < 2),
        (count) => {
          counted += count;
        },
      );
      if (pieces.some(({ length }) => length === 1)) return;
      t.same(found, lines);
      t.equal(counted, bytes.length);
    }),
    { numRuns: 60 },
  );
});

t.test('a line that never ends is passed over in bounded memory, and those after it are read', async (t) => {
  const piece = Buffer.alloc(2 ** 20, 'x');
  const long = Array.from({ length: MAX_LINE_BYTES / piece.length + 2 }, () => piece);
  t.same(await read([Buffer.from('a\n'), ...long, Buffer.from('\nb')]), ['a', null, 'b']);
});

t.test('a file that is not there, or ends in the middle of its compression, is an error with its name', async (t) => {
  const file = join(t.testdir(), 'cut.gz');
  const random = Buffer.from(Array.from({ length: 5000 }, (_, i) => `${(i * 7919) % 10007}`).join('\n'));
  const whole = gzipSync(random);
  await writeFile(file, whole.subarray(0, whole.length - 40));
  for (const path of [file, join(t.testdirName, 'none')]) {
    const lines = collect(readLines(openLog(path, process.stdin), () => {}));
    await t.rejects(lines, { code: 'file_unreadable', message: new RegExp(path) });
  }
});
