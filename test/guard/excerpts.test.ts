import fc from 'fast-check';
import t from 'tap';
import { createExcerpts } from '../../src/guard/excerpts.ts';

t.test('a question is due at the end of a sentence that is long enough, however it is cut', async (t) => {
  const sentence = `${'word '.repeat(20)}end. Next`;
  for (const size of [1, 2, 5, sentence.length]) {
    const excerpts = createExcerpts(true);
    let asked = '';
    for (let at = 0; at < sentence.length; at += size) {
      if (excerpts.push(sentence.slice(at, at + size))) asked += excerpts.take().join('');
    }
    t.match(asked, /end\. /);
  }
  const short = createExcerpts(true);
  t.notOk(short.push('Sure! '));
  t.notOk(short.push('1. '));
  t.strictSame(short.take(), ['Sure! 1. ']);
  t.strictSame(short.take(), [], 'nothing is new');
});

t.test('a text without sentences is judged all the same', async (t) => {
  const excerpts = createExcerpts(true);
  let pushed = 0;
  while (!excerpts.push('x')) pushed++;
  t.equal(pushed, 999);
});

t.test('by the answer, no question is due before its end', async (t) => {
  const excerpts = createExcerpts(false);
  t.notOk(excerpts.push('A sentence. '.repeat(1000)));
});

t.test('each character is in a question, in order, and questions are bounded', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 9000, unit: 'grapheme' }), { maxLength: 8 }),
      fc.boolean(),
      (pieces, asks) => {
        const excerpts = createExcerpts(true);
        let covered = '';
        const take = () => {
          for (const input of excerpts.take()) {
            t.ok(input.length <= 16_000);
            // What it begins with was judged before.
            let overlap = Math.min(input.length, covered.length);
            while (!covered.endsWith(input.slice(0, overlap))) overlap--;
            covered += input.slice(overlap);
          }
        };
        for (const piece of pieces) if (excerpts.push(piece) && asks) take();
        take();
        const all = pieces.join('');
        // Overlaps of text that repeats itself are ambiguous; nothing may be missing all the same.
        t.ok(all.length - covered.length <= 0 || all.startsWith(covered.slice(0, 1000)));
        if (!/(.)\1/u.test(all)) t.equal(covered, all);
      },
    ),
    { numRuns: 30 },
  );
});
