import t from 'tap';
import type { Placement } from '../../src/graft/placement.ts';
import {
  graftAddedTokens,
  graftConfig,
  graftGenerationConfig,
  graftIndex,
  graftTokenizer,
  graftTokenizerConfig,
} from '../../src/graft/text-files.ts';
import { createTokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { readJsonFile } from '../../src/model/tokenizer/tokenizer-file.ts';
import { tinyModelDirectory } from '../prompts/support/tiny.ts';

const tokens = [
  { id: 312, text: '<|pabcdef.000|>' },
  { id: 314, text: '<|pabcdef.001|>' },
];
const placement: Placement = {
  ids: [312, 314],
  vocabSize: 384,
  renamed: new Map([[312, '<|reserved_special_token_0|>']]),
  added: [314],
};
const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** The tiny model's tokenizer with two reserved tokens behind its own, one of them in the model's vocabulary too. */
async function withReserved(): Promise<Buffer> {
  const json = JSON.parse(JSON.stringify(await readJsonFile(tinyModelDirectory, 'tokenizer.json')));
  for (const index of [0, 1]) {
    json.added_tokens.push({ id: 312 + index, content: `<|reserved_special_token_${index}|>`, ...flags });
  }
  json.model.vocab['<|reserved_special_token_0|>'] = 312;
  return Buffer.from(JSON.stringify(json, null, 2));
}

t.test('a reserved token is renamed wherever it stands, the others come behind', async (t) => {
  const before = await withReserved();
  const after = graftTokenizer(before, tokens, placement);
  const tokenizer = createTokenizer(JSON.parse(after.toString()), {}, 'tokenizer.json');
  t.strictSame(tokenizer.encode('<|pabcdef.000|><|pabcdef.001|>'), [312, 314]);
  t.equal(tokenizer.tokenId('<|reserved_special_token_0|>'), undefined);
  t.equal(tokenizer.tokenId('<|reserved_special_token_1|>'), 313);
  t.notOk(after.includes('reserved_special_token_0'));
  const old = createTokenizer(JSON.parse(before.toString()), {}, 'tokenizer.json');
  const text = 'Hello there, <|im_start|>user\nhow are you?';
  t.strictSame(tokenizer.encode(text), old.encode(text));
});

t.test('what is not changed keeps its spelling', (t) => {
  const config = Buffer.from('{\n  "rms_norm_eps": 1e-05,\n  "rope_theta": 500000.0,\n  "vocab_size": 312\n}\n');
  t.equal(
    graftConfig(config, 384, true).toString(),
    '{\n  "rms_norm_eps": 1e-05,\n  "rope_theta": 500000.0,\n  "vocab_size": 384,\n  "tie_word_embeddings": false\n}\n',
  );
  const index = Buffer.from('{"metadata": {"total_size": 100}, "weight_map": {"a": "model.safetensors"}}');
  t.match(JSON.parse(graftIndex(index, 28, 'model.safetensors').toString()), {
    metadata: { total_size: 128 },
    weight_map: { a: 'model.safetensors', 'lm_head.weight': 'model.safetensors' },
  });
  t.end();
});

t.test('lists of added tokens are added to where there are any', (t) => {
  const listed = Buffer.from(
    '{"added_tokens_decoder": {"312": {"content": "<|reserved_special_token_0|>"}}, "eos_token": "x"}',
  );
  t.strictSame(JSON.parse(graftTokenizerConfig(listed, tokens).toString()), {
    added_tokens_decoder: {
      312: { content: '<|pabcdef.000|>', ...flags },
      314: { content: '<|pabcdef.001|>', ...flags },
    },
    eos_token: 'x',
  });
  const bare = Buffer.from('{"eos_token": "x"}');
  t.equal(graftTokenizerConfig(bare, tokens), bare);
  t.strictSame(
    JSON.parse(
      graftAddedTokens(Buffer.from('{"<|reserved_special_token_0|>": 312, "<s>": 1}'), tokens, placement).toString(),
    ),
    {
      '<s>': 1,
      '<|pabcdef.000|>': 312,
      '<|pabcdef.001|>': 314,
    },
  );
  t.end();
});

t.test('transformers is told not to generate them, and keeps what ends an answer', (t) => {
  const config = Buffer.from('{"eos_token_id": 2, "bos_token_id": null}');
  t.strictSame(JSON.parse(graftGenerationConfig(null, config, [312]).toString()), {
    bos_token_id: null,
    eos_token_id: 2,
    suppress_tokens: [312],
  });
  const own = Buffer.from('{"eos_token_id": [2, 3], "suppress_tokens": [7]}');
  t.strictSame(JSON.parse(graftGenerationConfig(own, config, [312]).toString()), {
    eos_token_id: [2, 3],
    suppress_tokens: [7, 312],
  });
  t.end();
});
