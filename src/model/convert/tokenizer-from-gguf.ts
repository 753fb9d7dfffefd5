import { PreambleError } from '../../errors.ts';
import {
  type GgufMetadata,
  readBoolean,
  readCount,
  readNumbers,
  readString,
  readStrings,
} from '../../formats/gguf/metadata.ts';
import { type PreTokenizerRecipe, preTokenizerRecipes } from './gguf-pre-tokenizers.ts';

/** `llama_token_type` of llama.cpp. */
const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

interface Vocabulary {
  tokens: readonly string[];
  types: readonly number[];
  merges: readonly [string, string][];
}

/**
 * The tokenizer files of a Hugging Face model directory, by name, from a GGUF file's metadata: `tokenizer.json`,
 * `tokenizer_config.json`, `special_tokens_map.json` and, where there is a template, `chat_template.jinja`.
 * Throws `model_unsupported` for another kind of tokenizer, `format_invalid` for a broken one.
 */
export function tokenizerFilesFromGguf(metadata: GgufMetadata): Record<string, string> {
  const recipe = findRecipe(metadata);
  const vocabulary = readVocabulary(metadata);
  const named = readNamedTokens(metadata, vocabulary.tokens);
  const addBos = readBoolean(metadata, 'tokenizer.ggml.add_bos_token') ?? recipe.addBos;
  const template = readString(metadata, 'tokenizer.chat_template');
  const bos = addBos ? named['bos_token'] : undefined;

  const files: Record<string, string> = {
    // compact: with a line for each of its merges the file would be twice as long
    'tokenizer.json': `${JSON.stringify(tokenizerJson(recipe, vocabulary, bos))}\n`,
    'tokenizer_config.json': toText({
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...named,
      add_bos_token: bos !== undefined,
      add_prefix_space: false,
      clean_up_tokenization_spaces: false,
      model_max_length: contextLength(metadata),
    }),
    'special_tokens_map.json': toText(named),
  };
  if (template !== undefined) files['chat_template.jinja'] = template;
  return files;
}

function findRecipe(metadata: GgufMetadata): PreTokenizerRecipe {
  const model = readString(metadata, 'tokenizer.ggml.model');
  const name = readString(metadata, 'tokenizer.ggml.pre') ?? 'default';
  const recipe = model === 'gpt2' ? preTokenizerRecipes.get(name) : undefined;
  if (recipe !== undefined) return recipe;
  const kind =
    model === 'gpt2' ? `a gpt2 tokenizer with the pre-tokenizer "${name}"` : `a "${model ?? 'missing'}" tokenizer`;
  throw new PreambleError('model_unsupported', `The GGUF file has ${kind}, which Preamble can't convert.`, {
    action: `Use the model's original Hugging Face files, or a GGUF with one of: ${[...preTokenizerRecipes.keys()].join(', ')}.`,
  });
}

function readVocabulary(metadata: GgufMetadata): Vocabulary {
  const tokens = readStrings(metadata, 'tokenizer.ggml.tokens');
  const merges = readStrings(metadata, 'tokenizer.ggml.merges');
  if (tokens === undefined || tokens.length === 0) throw broken('it has no tokens');
  if (merges === undefined) throw broken('it has no merges');
  const types = readNumbers(metadata, 'tokenizer.ggml.token_type') ?? tokens.map(() => tokenType.normal);
  if (types.length !== tokens.length) throw broken(`it has ${tokens.length} tokens and ${types.length} token types`);
  if (new Set(tokens).size !== tokens.length) throw broken('a token is listed twice');
  const known = new Set(tokens);
  const pairs = merges.map((merge): [string, string] => {
    const space = merge.indexOf(' ');
    const pair: [string, string] = [merge.slice(0, space), merge.slice(space + 1)];
    // the `tokenizers` library refuses a file with a merge outside the vocabulary
    if (space <= 0 || !known.has(pair[0]) || !known.has(pair[1]) || !known.has(pair.join(''))) {
      throw broken(`the merge ${JSON.stringify(merge)} doesn't join two tokens into one`);
    }
    return pair;
  });
  return { tokens, types, merges: pairs };
}

function tokenizerJson(recipe: PreTokenizerRecipe, vocabulary: Vocabulary, bos: string | undefined) {
  const { tokens, types, merges } = vocabulary;
  const isAdded = (id: number) => types[id] === tokenType.control || types[id] === tokenType.userDefined;
  const ids = [...tokens.keys()];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ids.filter(isAdded).map((id) => ({
      id,
      content: tokens[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: types[id] === tokenType.control,
    })),
    normalizer: recipe.normalizer,
    pre_tokenizer: recipe.preTokenizer,
    post_processor: bos === undefined ? null : postProcessor(bos, tokens.indexOf(bos)),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: recipe.ignoreMerges,
      // an unused id is padding of the embedding matrix and no token
      vocab: Object.fromEntries(ids.filter((id) => types[id] !== tokenType.unused).map((id) => [tokens[id], id])),
      merges,
    },
  };
}

function postProcessor(token: string, id: number) {
  const special = { SpecialToken: { id: token, type_id: 0 } };
  const sequence = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } });
  return {
    type: 'TemplateProcessing',
    single: [special, sequence('A', 0)],
    pair: [special, sequence('A', 0), { SpecialToken: { id: token, type_id: 1 } }, sequence('B', 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

function readNamedTokens(metadata: GgufMetadata, tokens: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const [name, key] of [
    ['bos_token', 'tokenizer.ggml.bos_token_id'],
    ['eos_token', 'tokenizer.ggml.eos_token_id'],
    ['unk_token', 'tokenizer.ggml.unknown_token_id'],
    ['pad_token', 'tokenizer.ggml.padding_token_id'],
  ] as const) {
    const id = readCount(metadata, key);
    if (id === undefined) continue;
    const token = tokens[id];
    if (token === undefined) throw broken(`${key} is ${id}, outside its ${tokens.length} tokens`);
    named[name] = token;
  }
  return named;
}

function contextLength(metadata: GgufMetadata): number | undefined {
  const architecture = readString(metadata, 'general.architecture');
  return architecture === undefined ? undefined : readCount(metadata, `${architecture}.context_length`);
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function broken(what: string): PreambleError {
  return new PreambleError('format_invalid', `The GGUF file's tokenizer is broken: ${what}.`, {
    action: 'Fetch or convert the file again.',
  });
}
