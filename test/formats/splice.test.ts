import t from 'tap';
import { splice } from '../../src/formats/splice.ts';

const text = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString();

t.test('replacements and insertions, in whatever order they are named', async (t) => {
  const bytes = Buffer.from('0123456789');
  const edits = [
    { start: 5, end: 5, bytes: [Buffer.from('b'), Buffer.from('c')] },
    { start: 0, end: 2, bytes: [] },
    { start: 5, end: 5, bytes: [Buffer.from('d')] },
    { start: 8, end: 10, bytes: [Buffer.from('e')] },
  ];
  t.equal(text(splice(bytes, edits)), '234bcd567e');
  t.equal(text(splice(bytes, [])), '0123456789');
});

t.test('nothing is copied', async (t) => {
  const bytes = Buffer.from('0123');
  const inserted = Buffer.from('x');
  const pieces = splice(bytes, [{ start: 2, end: 2, bytes: [inserted] }]);
  t.equal(pieces[0]?.buffer, bytes.buffer);
  t.equal(pieces[1], inserted);
});
