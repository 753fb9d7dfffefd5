/** What a `tokenizer.ggml.pre` name stands for: parts of a `tokenizer.json`. */
export interface PreTokenizerRecipe {
  readonly normalizer: object | null;
  readonly preTokenizer: object;
  /** A word that is a token is that token, whatever the merges say. */
  readonly ignoreMerges: boolean;
  /** Whether a beginning-of-sequence token is added where the file doesn't say. */
  readonly addBos: boolean;
}

const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

const splitBefore = (pattern: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ],
});

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const rest = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** From the models' own `tokenizer.json` files, which llama.cpp's `llama-vocab.cpp` names and follows. */
export const preTokenizerRecipes: ReadonlyMap<string, PreTokenizerRecipe> = new Map([
  ['gpt-2', { normalizer: null, preTokenizer: byteLevel(true), ignoreMerges: false, addBos: false }],
  [
    'smollm',
    {
      normalizer: null,
      preTokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)] },
      ignoreMerges: false,
      addBos: false,
    },
  ],
  [
    'llama-bpe',
    {
      normalizer: null,
      preTokenizer: splitBefore(`${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${rest}`),
      ignoreMerges: true,
      addBos: true,
    },
  ],
  [
    'qwen2',
    {
      normalizer: { type: 'NFC' },
      preTokenizer: splitBefore(`${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${rest}`),
      ignoreMerges: false,
      addBos: false,
    },
  ],
]);
