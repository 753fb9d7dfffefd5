import t from 'tap';
import { longestRun, repeatedShare, wordsOf } from '../../../src/dro/evaluation/repetition.ts';

const share = (text: string) => repeatedShare(wordsOf(text));
const run = (text: string) => longestRun(wordsOf(text));

t.test('words are compared in lower case and without punctuation', async (t) => {
  t.strictSame(wordsOf("I can't, 2 × Straße!"), ['i', 'can', 't', '2', 'straße']);
  t.strictSame(wordsOf(' …'), []);
});

t.test('the share of repeated 4-grams', async (t) => {
  t.equal(share('one two three four five six seven'), 0);
  // a b c d e a b c d: six 4-grams, of which a b c d stands twice
  t.equal(share('a b c d e a b c d').toFixed(6), (1 / 6).toFixed(6));
  t.equal(share('no no no no no'), 0.5);
  for (const text of ['', 'word', 'one two three four']) t.equal(share(text), 0, 'too short');
});

t.test('the longest run of a phrase upon itself', async (t) => {
  t.equal(run('It is a good day today.'), 0);
  t.equal(run('No, no, no! Never.'), 3);
  t.equal(run('to be to be or not'), 4);
  t.equal(run('I will help. I will help. I will help. Bye'), 9);
  t.equal(run('start a b c a b'), 0, 'not twice in full');
  const sentence = Array.from({ length: 32 }, (_, at) => `w${at}`).join(' ');
  t.equal(run(`${sentence} ${sentence}`), 64);
  t.equal(run(''), 0);
});
