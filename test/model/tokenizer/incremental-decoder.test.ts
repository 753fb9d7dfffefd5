import fc from 'fast-check';
import t from 'tap';
import { smollm2 } from './smollm2.ts';

const tokenizer = smollm2();

function decodeByPieces(ids: readonly number[]): string[] {
  const decoder = tokenizer.createIncrementalDecoder();
  return [...ids.map((id) => decoder.push(id)), decoder.flush()];
}

t.test('gives whole characters only, as soon as they are there', async (t) => {
  // three tokens of one byte or more make one character
  const ids = tokenizer.encode('🇩🇪');
  t.ok(ids.length > 2);
  const pieces = decodeByPieces(ids);
  t.equal(pieces.join(''), '🇩🇪');
  t.equal(pieces[0], '');
  t.notMatch(pieces.join(''), /\uFFFD/);
});

t.test('together the pieces are the text', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const ids = tokenizer.encode(text);
      // SmolLM2's vocabulary lacks some bytes, so that some unassigned characters can't be encoded at all
      fc.pre(tokenizer.decode(ids) === text && !/[\uFFFD]/.test(text) && !text.includes('<|'));
      return decodeByPieces(ids).join('') === text;
    }),
  );
});

t.test('a character that the answer ends in the middle of is dropped', async (t) => {
  const ids = tokenizer.encode('ok 🇩🇪');
  const pieces = decodeByPieces(ids.slice(0, -1));
  t.notMatch(pieces.join(''), /\uFFFD/);
  t.match(pieces.join(''), /^ok /);
});

t.test('bytes that no character can begin with are replaced, not held back', async (t) => {
  const [first] = tokenizer.encode('🇩');
  const letter = tokenizer.encode('a')[0];
  t.ok(first !== undefined && letter !== undefined);
  t.match(decodeByPieces([first ?? 0, letter ?? 0]).join(''), /^\uFFFDa$/);
});

t.test('special tokens are not shown, unless asked for', async (t) => {
  t.equal(decodeByPieces([...tokenizer.encode('hi'), 2]).join(''), 'hi');
  const showing = tokenizer.createIncrementalDecoder({ skipSpecialTokens: false });
  t.equal(showing.push(2), '<|im_end|>');
});

t.test('an id outside the vocabulary is nothing', async (t) => {
  t.strictSame(decodeByPieces([999_999]), ['', '']);
  t.strictSame(tokenizer.tokenBytes(999_999), new Uint8Array(0));
  t.equal(tokenizer.tokenText(-1), '');
});

t.test('a space at the head of an answer stays', async (t) => {
  t.strictSame(decodeByPieces(tokenizer.encode(' yes')), [' yes', '']);
});

t.test('every token has its bytes', async (t) => {
  const text = 'Grüße, 世界 🙂';
  const bytes = tokenizer.encode(text).flatMap((id) => [...tokenizer.tokenBytes(id)]);
  t.strictSame(Buffer.from(bytes).toString('utf8'), text);
});
