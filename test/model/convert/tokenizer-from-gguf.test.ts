import t from 'tap';
import { tokenizerFilesFromGguf } from '../../../src/model/convert/tokenizer-from-gguf.ts';
import { createTokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { smollm2Json } from '../tokenizer/smollm2.ts';
import { smollm2Metadata } from './smollm2-metadata.ts';

t.test('makes the files that transformers and vLLM load', async (t) => {
  const files = tokenizerFilesFromGguf(smollm2Metadata());
  t.strictSame(Object.keys(files), [
    'tokenizer.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
    'chat_template.jinja',
  ]);
  // the fixture was loaded by transformers, which gave the recorded vectors
  t.strictSame(JSON.parse(files['tokenizer.json'] ?? ''), smollm2Json());
  t.match(JSON.parse(files['tokenizer_config.json'] ?? ''), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: '<|im_start|>',
    eos_token: '<|im_end|>',
    add_bos_token: false,
    clean_up_tokenization_spaces: false,
    model_max_length: 8192,
  });
});

t.test('leaves the template out where the file has none', async (t) => {
  const files = tokenizerFilesFromGguf(smollm2Metadata({ change: { 'tokenizer.chat_template': null } }));
  t.notOk('chat_template.jinja' in files);
});

t.test('a beginning-of-sequence token is added where the file or its kind says so', async (t) => {
  const bosOf = (pre: string, add: boolean | null) => {
    const metadata = smollm2Metadata({ pre, change: { 'tokenizer.ggml.add_bos_token': add } });
    const json = JSON.parse(tokenizerFilesFromGguf(metadata)['tokenizer.json'] ?? '');
    return createTokenizer(json, {}, pre).encode('a', { addSpecialTokens: true });
  };
  t.strictSame(bosOf('smollm', null), [81]);
  t.strictSame(bosOf('smollm', true), [1, 81]);
  t.strictSame(bosOf('llama-bpe', null), [1, 81]);
  t.strictSame(bosOf('llama-bpe', false), [81]);
});

t.test('user-defined tokens are added but not special, unused ones are no tokens', async (t) => {
  const types = Array.from({ length: 49152 }, (_, id) => (id < 2 ? 3 : id === 2 ? 4 : id === 16 ? 5 : 1));
  const metadata = smollm2Metadata({ change: { 'tokenizer.ggml.token_type': types } });
  const json = JSON.parse(tokenizerFilesFromGguf(metadata)['tokenizer.json'] ?? '');
  t.strictSame(
    json.added_tokens.map((token: { id: number; special: boolean }) => [token.id, token.special]),
    [
      [0, true],
      [1, true],
      [2, false],
    ],
  );
  t.equal(json.model.vocab['<empty_output>'], undefined);
});

t.test('another kind of tokenizer is refused', async (t) => {
  const refused = { code: 'model_unsupported', action: /smollm/ };
  t.throws(() => tokenizerFilesFromGguf(smollm2Metadata({ pre: 'deepseek-llm' })), refused);
  t.throws(() => tokenizerFilesFromGguf(smollm2Metadata({ change: { 'tokenizer.ggml.pre': null } })), refused);
  const model = (name: string | null) => smollm2Metadata({ change: { 'tokenizer.ggml.model': name } });
  t.throws(() => tokenizerFilesFromGguf(model('llama')), refused);
  t.throws(() => tokenizerFilesFromGguf(model(null)), refused);
});

t.test('a broken vocabulary is refused', async (t) => {
  const broken: Record<string, Record<string, never[] | string[] | number | null>> = {
    'no tokens': { 'tokenizer.ggml.tokens': null },
    'empty tokens': { 'tokenizer.ggml.tokens': [], 'tokenizer.ggml.token_type': null },
    'no merges': { 'tokenizer.ggml.merges': null },
    'types of another length': { 'tokenizer.ggml.tokens': ['a'] },
    'a token twice': { 'tokenizer.ggml.tokens': ['a', 'a'], 'tokenizer.ggml.token_type': null },
    'a merge of one': { 'tokenizer.ggml.merges': ['a'] },
    'a merge of nothing': { 'tokenizer.ggml.merges': [' a'] },
    'a merge outside the vocabulary': { 'tokenizer.ggml.merges': ['qqqqq zzzzz'] },
    'a name outside the vocabulary': { 'tokenizer.ggml.eos_token_id': 49152 },
  };
  for (const [what, change] of Object.entries(broken)) {
    t.throws(() => tokenizerFilesFromGguf(smollm2Metadata({ change })), { code: 'format_invalid' }, what);
  }
});
