import fc from 'fast-check';
import t from 'tap';
import { compile, SentenceMatcher } from '../../src/refusal/automaton.ts';
import { type PatternNode, parsePattern } from '../../src/refusal/pattern.ts';

const context = {
  contractions: new Map([["can't", ['can', 'not']]]),
  classes: { verb: ['help', 'walk you'], self: ['<self> a'] },
};

/** The ends of all matches from `start` on, by the grammar's definition and without an automaton. */
function ends(node: PatternNode, words: readonly string[], start: number): Set<number> {
  switch (node.kind) {
    case 'word':
      return new Set(start < words.length && node.words.has(words[start] ?? '') ? [start + 1] : []);
    case 'gap':
      return new Set(Array.from({ length: node.max + 1 }, (_, n) => start + n).filter((end) => end <= words.length));
    case 'anyOf':
      return new Set(node.options.flatMap((option) => [...ends(option, words, start)]));
    case 'sequence': {
      let reached = new Set([start]);
      for (const item of node.items) reached = new Set([...reached].flatMap((at) => [...ends(item, words, at)]));
      return reached;
    }
  }
}

function finds(source: string, words: readonly string[]): boolean {
  const matcher = new SentenceMatcher(compile([parsePattern(source, context)]));
  words.forEach((word, at) => {
    matcher.word(word, at);
  });
  return matcher.finish().has(0);
}

const word = fc.constantFrom('a', 'b', 'c');
const source = fc.letrec<{ item: string; sequence: string }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 3 },
    word,
    word.map((w) => `${w}?`),
    fc.constantFrom('..1', '..3', '<verb>'),
    fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((parts) => `(${parts.join('|')})`),
    tie('sequence').map((part) => `(${part})?`),
  ),
  sequence: fc.array(tie('item'), { minLength: 1, maxLength: 4 }).map((items) => items.join(' ')),
})).sequence;

t.test('it finds what the grammar says', async () => {
  const anchored = fc.tuple(fc.boolean(), word, source, fc.boolean());
  const sentence = fc.array(fc.constantFrom('a', 'b', 'c', 'help', 'walk', 'you'), { maxLength: 10 });
  fc.assert(
    fc.property(anchored, sentence, ([start, first, rest, end], words) => {
      const text = `${start ? '^ ' : ''}${first} ${rest}${end ? ' $' : ''}`;
      const { node, atStart, atEnd } = parsePattern(text, context);
      const expected = words.some((_, at) => {
        if (atStart && at > 0) return false;
        const reached = ends(node, words, at);
        return atEnd ? reached.has(words.length) : reached.size > 0;
      });
      return finds(text, words) === expected;
    }),
    { numRuns: 3000 },
  );
});

t.test('contractions are unfolded in patterns', async (t) => {
  t.ok(finds("i can't", ['i', 'can', 'not']));
});

t.test('a matcher forgets the sentence before', async (t) => {
  const matcher = new SentenceMatcher(compile([parsePattern('a b', context), parsePattern('a $', context)]));
  matcher.word('a', 5);
  t.same([...matcher.finish()], [[1, 5]]);
  matcher.word('b', 9);
  t.same([...matcher.finish()], []);
});

t.test('what is no pattern is refused with the reason', async (t) => {
  const reasons: [string, RegExp][] = [
    ['', /empty part/],
    ['a (b', /'\)' is missing/],
    ['a) b', /'\)' is too many/],
    ['(|a)', /empty part/],
    ['? a', /behind nothing/],
    ['..2 a', /begin with a gap/],
    ['(a|..2) b', /begin with a gap/],
    ['a?', /not optional/],
    ['a ..9', /1 to 8 words/],
    ['a ..0', /1 to 8 words/],
    ['<none>', /not defined/],
    ['<toString>', /not defined/],
    ['<self>', /refers to itself/],
    ['a — b', /no word/],
  ];
  for (const [text, reason] of reasons) t.throws(() => parsePattern(text, context), reason, text);
});
