import t from 'tap';
import { chrF, wordF1 } from '../../../src/dro/evaluation/overlap.ts';
import { recordedStatistics } from './recorded.ts';

t.test("chrF is sacreBLEU's", async (t) => {
  for (const { candidate, reference, chrF: wanted } of (await recordedStatistics()).overlaps) {
    const found = chrF(candidate, reference);
    t.ok(Math.abs(found - wanted) < 1e-9, `${candidate} / ${reference}: ${found} is ${wanted}`);
  }
  t.equal(chrF('', ''), 1);
  t.equal(chrF('', 'a'), 0);
});

t.test('word F1 counts a word as often as both texts have it', async (t) => {
  t.equal(wordF1('The cat sat.', 'the CAT, sat'), 1);
  t.equal(wordF1('one two', 'three four'), 0);
  // precision 2/4, recall 2/2
  t.ok(Math.abs(wordF1('no no no yes', 'no yes') - 2 / 3) < 1e-12);
  t.equal(wordF1('...', '!'), 1);
  t.equal(wordF1('', 'word'), 0);
});
