import { isDeepStrictEqual } from 'node:util';
import { PreambleError } from '../../errors.ts';
import type { GgufScalar } from '../../formats/gguf/metadata.ts';
import type { GgufField, GgufKind } from '../../formats/gguf/write-metadata.ts';
import type { ModelConfig } from '../../model/config.ts';
import { preTokenizerRecipes } from '../../model/convert/gguf-pre-tokenizers.ts';
import type { SpecialTokens } from '../../model/tokenizer/special-tokens.ts';
import type { TokenizerJson } from '../../model/tokenizer/tokenizer-file.ts';

/** `llama_token_type` of llama.cpp. */
export const tokenType = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

/** `general.file_type`: what most tensors are. */
const fileTypes = { f16: 1, q8_0: 7 } as const;

export interface CheckpointDescription {
  readonly id: string;
  readonly config: ModelConfig;
  readonly tokenizer: TokenizerJson;
  readonly special: SpecialTokens;
  /** Id of a token that the tokenizer puts in front of every text; null for none. */
  readonly addsBos: boolean;
  readonly template: string | null;
  readonly type: 'f16' | 'q8_0';
}

/** Tokens by id, as many as the matrix has rows, with their types. */
export interface TokenList {
  readonly texts: readonly string[];
  readonly types: readonly number[];
}

/**
 * The key-value pairs of a GGUF file for a checkpoint, as llama.cpp's convert_hf_to_gguf.py writes them. Throws `model_unsupported` for a tokenizer or
 * a RoPE scaling that llama.cpp has no name for.
 */
export function metadataFromCheckpoint(description: CheckpointDescription, tokens: TokenList): GgufField[] {
  const { config, tokenizer, special, template, type } = description;
  const architecture = config.architecture === 'mistral' ? 'llama' : config.architecture;
  const fields: GgufField[] = [];
  const add = (key: string, kind: GgufKind, value: GgufScalar | readonly GgufScalar[]) =>
    fields.push({ key, kind, value });
  const own = (key: string, kind: GgufKind, value: GgufScalar) => add(`${architecture}.${key}`, kind, value);
  const idOf = idsOf(tokenizer);

  add('general.architecture', 'string', architecture);
  add('general.name', 'string', description.id);
  add('general.file_type', 'uint32', fileTypes[type]);
  own('vocab_size', 'uint32', tokens.texts.length);
  own('block_count', 'uint32', config.layers);
  own('context_length', 'uint32', config.maxPositions);
  own('embedding_length', 'uint32', config.hiddenSize);
  own('feed_forward_length', 'uint32', config.intermediateSize);
  own('attention.head_count', 'uint32', config.heads);
  own('attention.head_count_kv', 'uint32', config.kvHeads);
  own('attention.key_length', 'uint32', config.headDim);
  own('attention.value_length', 'uint32', config.headDim);
  own('attention.layer_norm_rms_epsilon', 'float32', config.rmsNormEps);
  own('rope.dimension_count', 'uint32', config.headDim);
  own('rope.freq_base', 'float32', config.ropeTheta);
  const window = config.slidingWindows.find((size) => size !== null) ?? null;
  if (window !== null) own('attention.sliding_window', 'uint32', window);
  if (config.ropeScaling.kind === 'linear') {
    own('rope.scaling.type', 'string', 'linear');
    own('rope.scaling.factor', 'float32', config.ropeScaling.factor);
  } else if (config.ropeScaling.kind === 'dynamic') {
    throw unsupported('dynamic RoPE scaling');
  }

  add('tokenizer.ggml.model', 'string', 'gpt2');
  add('tokenizer.ggml.pre', 'string', preTokenizerOf(tokenizer));
  add('tokenizer.ggml.tokens', 'string', tokens.texts);
  add('tokenizer.ggml.token_type', 'int32', tokens.types);
  add(
    'tokenizer.ggml.merges',
    'string',
    tokenizer.model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' '))),
  );
  const bos = config.bosTokenId ?? idOf(special.bos);
  const eos = idOf(special.eos) ?? config.eosTokenIds[0];
  if (bos !== undefined) add('tokenizer.ggml.bos_token_id', 'uint32', bos);
  if (eos !== undefined) add('tokenizer.ggml.eos_token_id', 'uint32', eos);
  const [unk, pad] = [idOf(special.unk), idOf(special.pad)];
  if (unk !== undefined) add('tokenizer.ggml.unknown_token_id', 'uint32', unk);
  if (pad !== undefined) add('tokenizer.ggml.padding_token_id', 'uint32', pad);
  add('tokenizer.ggml.add_bos_token', 'bool', description.addsBos);
  if (template !== null) add('tokenizer.chat_template', 'string', template);
  return fields;
}

/** Every row's token: the vocabulary's, then `changed` over it; rows without one are named as llama.cpp's converter names them. */
export function tokenList(tokenizer: TokenizerJson, rows: number, changed: ReadonlyMap<number, string>): TokenList {
  const texts = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const types = new Array<number>(rows).fill(tokenType.unused);
  for (const [text, id] of Object.entries(tokenizer.model.vocab)) {
    texts[id] = text;
    types[id] = tokenType.normal;
  }
  for (const { id, content, special } of tokenizer.added_tokens ?? []) {
    texts[id] = content;
    types[id] = special === true ? tokenType.control : tokenType.userDefined;
  }
  for (const [id, text] of changed) {
    texts[id] = text;
    types[id] = tokenType.control;
  }
  return { texts, types };
}

function idsOf({ model, added_tokens = [] }: TokenizerJson): (text: string | null) => number | undefined {
  return (text) =>
    text === null ? undefined : (added_tokens.find(({ content }) => content === text)?.id ?? model.vocab[text]);
}

/** llama.cpp knows pre-tokenizers by name; ours are those whose parts we know. */
function preTokenizerOf(tokenizer: TokenizerJson): string {
  const { normalizer = null, pre_tokenizer: preTokenizer = null } = tokenizer;
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  for (const [name, recipe] of preTokenizerRecipes) {
    const isSame =
      isDeepStrictEqual(plain(normalizer), plain(recipe.normalizer)) &&
      isDeepStrictEqual(plain(preTokenizer), plain(recipe.preTokenizer));
    if (isSame) return name;
  }
  throw unsupported('a pre-tokenizer that Preamble knows no llama.cpp name of');
}

function unsupported(what: string): PreambleError {
  return new PreambleError('model_unsupported', `The checkpoint has ${what}.`, {
    action: "Convert it with llama.cpp's convert_hf_to_gguf.py first, and graft that file: --model FILE.gguf.",
  });
}
