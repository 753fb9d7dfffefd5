import { readFile } from 'node:fs/promises';
import { PreambleError, toError } from '../../errors.ts';
import { assertPromptFits } from '../../prompts/compatibility.ts';
import { promptFromText } from '../../prompts/from-text.ts';
import type { ModelIdentity } from '../../prompts/model-identity.ts';
import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import { toFloat32 } from '../../prompts/tensor.ts';
import { openPrompts, type ReadOptions } from '../prompt/directories.ts';

/** What a prompt is trained from when nothing is given: what the model is, and what is wanted of it, in words. */
const DEFAULT_TEXT =
  'You are a helpful AI assistant. If a request is harmful, illegal or dangerous, refuse it and say: I am sorry, but I cannot help with ' +
  'that. Otherwise give a helpful answer.';

export interface StartOptions extends ReadOptions {
  /** `text`, `vpt` (the text, trained by vPT first), or a prompt's reference. */
  start: string;
  text?: string | undefined;
  textFile?: string | undefined;
  /** Virtual tokens; default: as many as the text has. */
  tokens?: number | undefined;
  position: PromptPosition;
}

export interface Start {
  prompt: SoftPrompt;
  /** Kept in the manifest: what a backend without embeddings sends instead. */
  text: string;
}

/** The rows that training starts from. Throws `invalid_request`, `prompt_not_found`, `prompt_mismatch`. */
export async function startingPrompt(directory: string, model: ModelIdentity, options: StartOptions): Promise<Start> {
  if (options.start !== 'text' && options.start !== 'vpt') {
    const version = (await openPrompts(options)).resolve(options.start);
    assertPromptFits(version.manifest, model);
    return { prompt: await version.load(), text: version.manifest.text ?? DEFAULT_TEXT };
  }
  const text = await textOf(options);
  const named = { name: 'start', version: '1.0.0', text, position: options.position };
  const { tensor } = await promptFromText(directory, named);
  const values = toFloat32(tensor);
  const tokens = options.tokens ?? tensor.tokens;
  return { text, prompt: { ...rowsOf(values, tokens, tensor.hiddenSize), digest: `text ${text} ${tokens}` } };
}

/** The text's rows over and over, or its first ones, until there are as many as asked for. */
function rowsOf(values: Float32Array, tokens: number, hiddenSize: number): Omit<SoftPrompt, 'digest'> {
  const rows = new Float32Array(tokens * hiddenSize);
  for (let at = 0; at < rows.length; at += values.length) rows.set(values.subarray(0, rows.length - at), at);
  return { label: 'text', tokens, hiddenSize, values: rows };
}

async function textOf({ text, textFile }: StartOptions): Promise<string> {
  if (text !== undefined) return text;
  if (textFile === undefined) return DEFAULT_TEXT;
  try {
    return (await readFile(textFile, 'utf8')).trimEnd();
  } catch (error) {
    throw new PreambleError('file_unreadable', `Cannot read ${textFile}: ${toError(error).message}.`, {
      action: 'Give a text file in UTF-8.',
      cause: error,
    });
  }
}
