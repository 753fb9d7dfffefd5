import t from 'tap';
import { placeVirtualTokens } from '../../src/graft/placement.ts';
import type { TokenizerJson } from '../../src/model/tokenizer/tokenizer-file.ts';

/** `vocab` ordinary tokens, then added ones. */
function tokenizer(vocab: number, added: readonly string[] = []): TokenizerJson {
  const entries = Array.from({ length: vocab }, (_, id) => [`t${id}`, id] as const);
  return {
    added_tokens: added.map((content, index) => ({ id: vocab + index, content, special: true })),
    model: { type: 'BPE', vocab: Object.fromEntries(entries), merges: [] },
  };
}
const reserved = (count: number) => Array.from({ length: count }, (_, index) => `<|reserved_special_token_${index}|>`);
const unused = () => false;

t.test('rows without a token are taken first', (t) => {
  t.match(placeVirtualTokens(3, 40, tokenizer(30, ['<s>']), unused), {
    ids: [31, 32, 33],
    vocabSize: 40,
    added: [31, 32, 33],
  });
  t.end();
});

t.test('then reserved tokens, as many as are needed, but for those that mean something', (t) => {
  const { ids, vocabSize, renamed } = placeVirtualTokens(
    3,
    36,
    tokenizer(30, ['<s>', ...reserved(5)]),
    (_, id) => id === 32,
  );
  t.strictSame([ids, vocabSize], [[31, 33, 34], 36]);
  t.strictSame(
    [...renamed.values()],
    ['<|reserved_special_token_0|>', '<|reserved_special_token_2|>', '<|reserved_special_token_3|>'],
  );
  const both = placeVirtualTokens(3, 34, tokenizer(30, ['<s>', ...reserved(2)]), unused);
  t.strictSame([both.ids, both.added], [[31, 32, 33], [33]]);
  t.end();
});

t.test('else the matrix grows to a multiple of 64', (t) => {
  t.match(placeVirtualTokens(40, 36, tokenizer(30, ['<s>', ...reserved(5)]), unused), {
    vocabSize: 128,
    renamed: new Map(),
  });
  t.match(placeVirtualTokens(28, 36, tokenizer(36), unused), { ids: [36, 37], vocabSize: 64 });
  t.end();
});

t.test('a tokenizer whose ids have gaps has no room', (t) => {
  const gaps = tokenizer(30);
  gaps.model.vocab['far'] = 50;
  t.throws(() => placeVirtualTokens(1, 64, gaps, unused), { code: 'model_unsupported', message: /ids have gaps/ });
  t.throws(() => placeVirtualTokens(2 ** 23, 64, tokenizer(30), unused), { message: /the most is/ });
  t.end();
});
