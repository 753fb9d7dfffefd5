import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../../errors.ts';

/** The largest known tokenizer.json (Gemma, 256,000 tokens) has 34 MB; more would only fill memory. */
const MAX_TOKENIZER_BYTES = 128 * 2 ** 20;

const component = Type.Object({ type: Type.String() });
const tokenId = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });

const addedTokenSchema = Type.Object({
  id: tokenId,
  content: Type.String({ minLength: 1 }),
  single_word: Type.Optional(Type.Boolean()),
  lstrip: Type.Optional(Type.Boolean()),
  rstrip: Type.Optional(Type.Boolean()),
  normalized: Type.Optional(Type.Boolean()),
  special: Type.Optional(Type.Boolean()),
});

const modelSchema = Type.Object({
  type: Type.Optional(Type.Union([Type.Literal('BPE'), Type.Null()])),
  vocab: Type.Record(Type.String(), tokenId),
  merges: Type.Array(Type.Union([Type.String(), Type.Tuple([Type.String(), Type.String()])])),
  unk_token: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

/** The parts of `tokenizer.json` that Preamble itself reads; the rest goes to the library as it is. */
const tokenizerJsonSchema = Type.Object({
  added_tokens: Type.Optional(Type.Array(addedTokenSchema)),
  normalizer: Type.Optional(Type.Union([component, Type.Null()])),
  pre_tokenizer: Type.Optional(Type.Union([component, Type.Null()])),
  post_processor: Type.Optional(Type.Union([component, Type.Null()])),
  decoder: Type.Optional(Type.Union([component, Type.Null()])),
  model: modelSchema,
});

const namedToken = Type.Optional(
  Type.Union([Type.String(), Type.Object({ content: Type.String() }, { additionalProperties: true }), Type.Null()]),
);

const tokenizerConfigSchema = Type.Object(
  { bos_token: namedToken, eos_token: namedToken, unk_token: namedToken, pad_token: namedToken },
  { additionalProperties: true },
);

export type AddedTokenJson = Static<typeof addedTokenSchema>;
export type TokenizerJson = Static<typeof tokenizerJsonSchema>;
export type TokenizerConfigJson = Static<typeof tokenizerConfigSchema>;

const tokenizerJson = Compile(tokenizerJsonSchema);
const tokenizerConfig = Compile(tokenizerConfigSchema);

/** Checks the parsed content of a `tokenizer.json`. Throws `format_invalid` or `model_unsupported`. */
export function parseTokenizerJson(value: unknown, path: string): TokenizerJson {
  if (tokenizerJson.Check(value)) return value;
  const kind = modelType(value);
  if (kind !== undefined && kind !== 'BPE') {
    throw new PreambleError('model_unsupported', `${path} holds a ${kind} tokenizer; Preamble reads BPE tokenizers.`, {
      action: 'Choose a Llama, Mistral or Qwen model.',
    });
  }
  throw invalid(path, describeFirst(tokenizerJson.Errors(value)));
}

/** Checks the parsed content of a `tokenizer_config.json`. Throws `format_invalid`. */
export function parseTokenizerConfig(value: unknown, path: string): TokenizerConfigJson {
  if (tokenizerConfig.Check(value)) return value;
  throw invalid(path, describeFirst(tokenizerConfig.Errors(value)));
}

/** The JSON in a file of a model's directory, undefined where the file is absent. Throws `file_unreadable`, `format_invalid`. */
export async function readJsonFile(directory: string, name: string): Promise<unknown> {
  const text = await readTextFile(directory, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(join(directory, name), 'it is not JSON', error);
  }
}

/** A text file of a model's directory, undefined where it is absent. Throws `file_unreadable`, `format_invalid`. */
export async function readTextFile(directory: string, name: string): Promise<string | undefined> {
  const path = join(directory, name);
  try {
    if ((await stat(path)).size > MAX_TOKENIZER_BYTES) throw invalid(path, 'it is larger than 128 MiB');
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof PreambleError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw new PreambleError('file_unreadable', `Cannot read ${path} (${String(code ?? error)}).`, {
      action: 'Check that it is a file and its permissions.',
      cause: error,
    });
  }
}

export function invalid(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${path} is not valid: ${what}.`, {
    action: 'Fetch the model again.',
    cause,
  });
}

function modelType(value: unknown): string | undefined {
  const model = typeof value === 'object' && value !== null && 'model' in value ? value.model : undefined;
  const type = typeof model === 'object' && model !== null && 'type' in model ? model.type : undefined;
  return typeof type === 'string' ? type : undefined;
}

function describeFirst(errors: readonly { instancePath: string; message: string }[]): string {
  const [first] = errors;
  return first === undefined ? 'its fields are wrong' : `${first.instancePath || '/'} ${first.message}`;
}
