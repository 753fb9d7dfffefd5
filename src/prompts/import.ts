import { basename, dirname } from 'node:path';
import { PreambleError } from '../errors.ts';
import type { MadePrompt } from './from-text.ts';
import { readRows, rowsFile, unusable } from './import-rows.ts';
import { identifyModel, toPromptModel } from './model-identity.ts';
import { quote } from './name.ts';
import { type PeftConfig, readPeftConfig } from './peft.ts';
import type { PromptPosition } from './soft-prompt.ts';
import type { PromptTensor } from './tensor.ts';

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
 * Reads a PEFT prompt-tuning adapter (its directory, or its tensor file), a safetensors file with `soft_prompt`, or a torch.save file with
 * the rows by themselves or under that name. BF16 and F32 stay as they are, F16 is widened to F32.
 * Throws `file_unreadable`, `format_invalid`, `prompt_invalid`, `prompt_mismatch`.
 */
export async function importPrompt(path: string, options: ImportOptions): Promise<ImportedPrompt> {
  const file = await rowsFile(path);
  const config = await readPeftConfig(dirname(file));
  const { tensor, isAdapter } = await readRows(file);
  const peft = isAdapter ? config : null;
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
