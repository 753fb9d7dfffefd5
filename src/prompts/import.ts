import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { readExactly, withFile } from '../formats/file-ranges.ts';
import { readSafetensorsHeader, type TensorLocation } from '../formats/safetensors.ts';
import type { MadePrompt } from './from-text.ts';
import { widen } from './from-text.ts';
import { identifyModel, toPromptModel } from './model-identity.ts';
import { quote } from './name.ts';
import { PEFT_TENSOR_FILE, PEFT_TENSOR_NAME, type PeftConfig, readPeftConfig } from './peft.ts';
import type { PromptPosition } from './soft-prompt.ts';
import { MAX_VIRTUAL_TOKENS, type PromptTensor, TENSOR_NAME } from './tensor.ts';

export interface ImportOptions {
  name: string;
  version: string;
  position: PromptPosition;
  /** The Hugging Face directory of the model that the rows were trained on: the file itself does not bind them to one. */
  modelDirectory: string;
}

export interface ImportedPrompt extends MadePrompt {
  /** What the adapter says it was trained on; null where nothing says. */
  baseModel: string | null;
}

/**
 * Reads a PEFT prompt-tuning adapter (its directory, or its `adapter_model.safetensors`) or a safetensors file with `soft_prompt`.
 * BF16 and F32 stay as they are, F16 is widened to F32. Throws `file_unreadable`, `format_invalid`, `prompt_invalid`, `prompt_mismatch`.
 */
export async function importPrompt(path: string, options: ImportOptions): Promise<ImportedPrompt> {
  const file = await tensorFile(path);
  const config = await readPeftConfig(dirname(file));
  const { tensors } = await readSafetensorsHeader(file);
  const plain = tensors.get(TENSOR_NAME);
  const adapter = tensors.get(PEFT_TENSOR_NAME);
  const location = plain ?? adapter;
  if (location === undefined) {
    throw unusable(file, `it holds neither ${TENSOR_NAME} nor PEFT's ${PEFT_TENSOR_NAME}`);
  }
  const peft = plain === undefined ? config : null;
  const tensor = await readRows(file, location);
  checkAgainst(peft, tensor, file);

  const { name, version, position, modelDirectory } = options;
  const identity = await identifyModel(modelDirectory);
  if (tensor.hiddenSize !== identity.hiddenSize) {
    throw new PreambleError(
      'prompt_mismatch',
      `The rows of ${basename(file)} have ${tensor.hiddenSize} values, the hidden size of ${quote(identity.id)} is ${identity.hiddenSize}.`,
      { action: 'Name the model that the prompt was trained on with --model.' },
    );
  }
  const text = peft?.initialText;
  const content = {
    name,
    version,
    model: toPromptModel(identity),
    position,
    ...(text ? { text } : {}),
    evaluation: [],
  };
  return { content, tensor, baseModel: peft?.baseModel ?? null };
}

async function tensorFile(path: string): Promise<string> {
  const stats = await stat(path).catch(() => null);
  if (!stats?.isDirectory()) return path;
  const file = join(path, PEFT_TENSOR_FILE);
  if ((await stat(file).catch(() => null)) === null) {
    throw new PreambleError('file_unreadable', `${path} has no ${PEFT_TENSOR_FILE}.`, {
      action:
        'Save the adapter with safe_serialization=True (adapter_model.bin is a pickle and is not read), or name a file.',
    });
  }
  return file;
}

async function readRows(path: string, location: TensorLocation): Promise<PromptTensor> {
  const { dtype, shape, offset, length } = location;
  const [tokens, hiddenSize] = shape;
  if (shape.length !== 2 || !tokens || !hiddenSize || tokens > MAX_VIRTUAL_TOKENS) {
    throw unusable(path, `its shape is [${shape.join(', ')}], not [1 to ${MAX_VIRTUAL_TOKENS} tokens, hiddenSize]`);
  }
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw unusable(path, `its dtype is ${dtype}, not F32, F16 or BF16`);
  }
  const bytes = new Uint8Array(length);
  await withFile(path, async (file) => {
    if (!(await readExactly(file, bytes, offset))) throw unusable(path, 'it ended while being read');
  });
  return dtype === 'F16' ? widen(bytes, { tokens, hiddenSize }) : { dtype, tokens, hiddenSize, bytes };
}

function checkAgainst(config: PeftConfig | null, tensor: PromptTensor, file: string): void {
  if (config === null) return;
  const { virtualTokens, tokenDim } = config;
  if ((virtualTokens ?? tensor.tokens) !== tensor.tokens || (tokenDim ?? tensor.hiddenSize) !== tensor.hiddenSize) {
    throw unusable(
      file,
      `it is [${tensor.tokens}, ${tensor.hiddenSize}], but its adapter_config.json says ${virtualTokens} tokens of ${tokenDim} values`,
    );
  }
}

function unusable(path: string, what: string): PreambleError {
  return new PreambleError('prompt_invalid', `${path} cannot be imported: ${what}.`, {
    action:
      'Give a PEFT prompt-tuning adapter, or a safetensors file with the tensor soft_prompt [tokens, hiddenSize].',
  });
}
