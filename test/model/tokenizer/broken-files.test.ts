import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../../src/errors.ts';
import { createTokenizer, loadTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';

const small = {
  added_tokens: [{ id: 3, content: '<s>', special: true }],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
  post_processor: null,
  decoder: { type: 'ByteLevel' },
  model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: [['a', 'b']] },
};

t.test('the small tokenizer works', async (t) => {
  t.strictSame(createTokenizer(small, {}, 'x').encode('<s>aba'), [3, 2, 0]);
});

t.test('a directory without a tokenizer, and files that are no JSON', async (t) => {
  const directory = t.testdir({ 'tokenizer_config.json': '{}' });
  await t.rejects(loadTokenizer(directory), { code: 'format_invalid', message: /missing/ });
  await writeFile(join(directory, 'tokenizer.json'), '{"model":');
  await t.rejects(loadTokenizer(directory), { code: 'format_invalid', message: /not JSON/ });
  await mkdir(join(directory, 'other', 'tokenizer.json'), { recursive: true });
  await t.rejects(loadTokenizer(join(directory, 'other')), { code: 'file_unreadable' });
});

t.test('parts of another kind are refused by name', async (t) => {
  const unsupported = { code: 'model_unsupported' };
  t.throws(() => createTokenizer({ ...small, model: { type: 'Unigram', vocab: [['a', 0]] } }, {}, 'x'), {
    ...unsupported,
    message: /Unigram/,
  });
  t.throws(() => createTokenizer({ ...small, pre_tokenizer: { type: 'Sorcery' } }, {}, 'x'), unsupported);
  t.throws(() => createTokenizer({ ...small, normalizer: { type: 'Sorcery' } }, {}, 'x'), unsupported);
  t.throws(() => createTokenizer({ ...small, decoder: { type: 'WordPiece' } }, {}, 'x'), unsupported);
  t.throws(() => createTokenizer({ ...small, decoder: null }, {}, 'x'), unsupported);
});

t.test('whatever stands in the files, the error is a clear one', async () => {
  const keys = [...Object.keys(small), 'vocab', 'merges', 'type', 'id', 'content', 'pattern', 'pretokenizers', 'Regex'];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('BPE', 'ByteLevel', 'Sequence', 'Split', 'Digits', 'Replace', '[', 'a b', ''),
      fc.double(),
      fc.constant(null),
      fc.boolean(),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  const changed = fc
    .tuple(fc.constantFrom(...Object.keys(small)), value)
    .map(([key, part]) => ({ ...small, [key]: part }));
  fc.assert(
    fc.property(fc.oneof(value, changed), value, (json, config) => {
      try {
        createTokenizer(json, config, 'tokenizer.json').encode('ab <s>');
      } catch (error) {
        if (!(error instanceof PreambleError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
