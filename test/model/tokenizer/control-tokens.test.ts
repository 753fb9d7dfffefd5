import fc from 'fast-check';
import t from 'tap';
import { createTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { smollm2 } from './smollm2.ts';

const tokenizer = smollm2([
  { content: '<tool_call>', special: false },
  { content: '[INST]', special: false },
  { content: 'zzordinary', special: false },
]);

t.test('control tokens are the special ones and those that look like markup', async (t) => {
  const control = [...tokenizer.controlTokens.values()];
  t.equal(control.length, 19);
  t.ok(control.includes('<|im_end|>') && control.includes('<tool_call>') && control.includes('[INST]'));
  t.notOk(control.includes('zzordinary'));
});

t.test('they are recognised in a text, or are text', async (t) => {
  t.strictSame(tokenizer.encode('<tool_call><|im_end|>'), [49152, 2]);
  const ids = tokenizer.encode('<tool_call><|im_end|>zzordinary', { controlTokens: false });
  t.strictSame(ids.at(-1), 49154, 'other added tokens stay tokens');
  t.equal(tokenizer.decode(ids), '<tool_call><|im_end|>zzordinary');
});

t.test('no text becomes one when they are off', async () => {
  const piece = fc.oneof(fc.constantFrom(...tokenizer.controlTokens.values(), '<', '|>', ' '), fc.string());
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const ids = tokenizer.encode(pieces.join(''), { controlTokens: false });
      return !ids.some((id) => tokenizer.controlTokens.has(id));
    }),
  );
});

t.test('not even where the vocabulary or the merges spell one', async (t) => {
  const json = {
    added_tokens: [{ id: 4, content: '<a>', special: true }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      vocab: { '<': 0, a: 1, '>': 2, '<a': 3, '<a>': 4 },
      merges: [
        ['<', 'a'],
        ['<a', '>'],
      ],
      ignore_merges: false,
    },
  };
  for (const ignoreMerges of [false, true]) {
    json.model.ignore_merges = ignoreMerges;
    const small = createTokenizer(json, {}, 'small');
    t.strictSame(small.encode('<a>'), [4]);
    t.strictSame(small.encode('<a>', { controlTokens: false }), [3, 2]);
  }
});
