import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError, toError } from '../errors.ts';
import { MAX_TEXT_LENGTH } from './manifest.ts';
import { quote } from './name.ts';

/** The files and the tensor of a PEFT prompt-tuning adapter, as peft 0.21 writes them. */
export const PEFT_TENSOR_FILE = 'adapter_model.safetensors';
/** What it writes instead with `safe_serialization=False`. */
export const PEFT_PICKLE_FILE = 'adapter_model.bin';
export const PEFT_CONFIG_FILE = 'adapter_config.json';
export const PEFT_TENSOR_NAME = 'prompt_embeddings';
/** peft writes about a kilobyte. */
const MAX_CONFIG_BYTES = 2 ** 20;

const nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]));

const checker = Compile(
  Type.Object({
    peft_type: Type.String(),
    base_model_name_or_path: nullable(Type.String()),
    num_virtual_tokens: nullable(Type.Integer()),
    token_dim: nullable(Type.Integer()),
    num_transformer_submodules: nullable(Type.Integer()),
    prompt_tuning_init: nullable(Type.String()),
    prompt_tuning_init_text: nullable(Type.String()),
  }),
);

/** Why an adapter of another kind is no soft prompt, and what its owner can do. */
const otherTypes: Readonly<Record<string, string>> = {
  LORA: 'A LoRA changes weights: load it in the model server (vLLM: --lora-modules), or merge it into the model.',
  PREFIX_TUNING:
    'Prefix tuning learns keys and values of every layer, which no server takes: train PROMPT_TUNING instead.',
  P_TUNING:
    'Compute its rows once (get_prompt_embedding_to_save) and save them as the tensor soft_prompt of a safetensors file.',
  MULTITASK_PROMPT_TUNING:
    "Compute one task's rows once (get_prompt_embedding_to_save) and save them as the tensor soft_prompt of a safetensors file.",
};

export interface PeftConfig {
  baseModel: string | null;
  virtualTokens: number | null;
  tokenDim: number | null;
  /** The text that the rows were initialised with, null where there was none. */
  initialText: string | null;
}

/** The `adapter_config.json` of a directory, null where there is none. Throws `prompt_invalid` unless it is of prompt tuning. */
export async function readPeftConfig(directory: string): Promise<PeftConfig | null> {
  const path = join(directory, PEFT_CONFIG_FILE);
  const stats = await stat(path).catch(() => null);
  if (stats === null) return null;
  if (stats.size > MAX_CONFIG_BYTES) throw broken(path, 'it is larger than 1 MiB');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new PreambleError('file_unreadable', `Cannot read ${path}: ${toError(error).message}.`, { cause: error });
  }
  return parsePeftConfig(text, path);
}

/** Throws `prompt_invalid`. */
export function parsePeftConfig(text: string, path: string): PeftConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw broken(path, 'it is not JSON', error);
  }
  if (!checker.Check(config)) {
    const [fault] = checker.Errors(config);
    throw broken(path, `${fault?.instancePath.slice(1) || 'the whole'} ${fault?.message ?? 'is not as expected'}`);
  }
  if (config.peft_type !== 'PROMPT_TUNING') {
    throw new PreambleError(
      'prompt_invalid',
      `${path} describes an adapter of the kind ${quote(config.peft_type)}, which is not a soft prompt.`,
      { action: otherTypes[config.peft_type] ?? 'Only PROMPT_TUNING adapters hold rows of input embeddings.' },
    );
  }
  if ((config.num_transformer_submodules ?? 1) !== 1) throw broken(path, 'it is for an encoder and a decoder');
  const initial = config.prompt_tuning_init === 'TEXT' ? (config.prompt_tuning_init_text ?? '') : '';
  return {
    baseModel: config.base_model_name_or_path ?? null,
    virtualTokens: config.num_virtual_tokens ?? null,
    tokenDim: config.token_dim ?? null,
    initialText: initial.length > 0 && initial.length <= MAX_TEXT_LENGTH && initial.isWellFormed() ? initial : null,
  };
}

/** What peft needs beside the tensor to load a prompt; `base_model_name_or_path` is the model's id. */
export function peftConfigFor(prompt: { modelId: string; tokens: number; hiddenSize: number }): object {
  return {
    peft_type: 'PROMPT_TUNING',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: prompt.modelId,
    inference_mode: true,
    num_virtual_tokens: prompt.tokens,
    token_dim: prompt.hiddenSize,
    num_transformer_submodules: 1,
    prompt_tuning_init: 'RANDOM',
  };
}

function broken(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('prompt_invalid', `${path} is not a usable adapter_config.json: ${what}.`, {
    action: 'Save the adapter again with PEFT, or give a safetensors file with the tensor soft_prompt.',
    cause,
  });
}
