import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { PreambleError } from '../errors.ts';
import { readExactly, withFile } from '../formats/file-ranges.ts';
import { readSafetensorsHeader } from '../formats/safetensors.ts';
import type { DenseDtype } from '../formats/torch-save/dense-tensor.ts';
import { readTorchSave } from '../formats/torch-save/read.ts';
import { widen } from './from-text.ts';
import { PEFT_PICKLE_FILE, PEFT_TENSOR_FILE, PEFT_TENSOR_NAME } from './peft.ts';
import { MAX_VIRTUAL_TOKENS, type PromptTensor, TENSOR_NAME } from './tensor.ts';

export interface FoundRows {
  tensor: PromptTensor;
  /** They bear PEFT's name, so the `adapter_config.json` beside them, if any, speaks of them. */
  isAdapter: boolean;
}

/** What torch.save's files are called by habit. */
const TORCH_EXTENSIONS = ['.pt', '.pth', '.bin'];

/** The file at `path`; of a directory PEFT's tensor file, the safetensors where both are there. Throws `file_unreadable`. */
export async function rowsFile(path: string): Promise<string> {
  if (!(await stat(path).catch(() => null))?.isDirectory()) return path;
  for (const name of [PEFT_TENSOR_FILE, PEFT_PICKLE_FILE]) {
    const file = join(path, name);
    if ((await stat(file).catch(() => null)) !== null) return file;
  }
  throw new PreambleError('file_unreadable', `${path} has neither ${PEFT_TENSOR_FILE} nor ${PEFT_PICKLE_FILE}.`, {
    action: 'Save the adapter with safe_serialization=True, or name a file.',
  });
}

/**
 * The soft prompt in a safetensors file, or in one of torch.save by its extension. BF16 and F32 stay as they are, F16 is widened to F32.
 * Throws `file_unreadable`, `format_invalid`, `prompt_invalid`.
 */
export async function readRows(file: string): Promise<FoundRows> {
  const isTorchSave = TORCH_EXTENSIONS.includes(extname(file).toLowerCase());
  return isTorchSave ? await rowsOfTorchSave(file) : await rowsOfSafetensors(file);
}

async function rowsOfTorchSave(file: string): Promise<FoundRows> {
  const { name, tensor } = await readTorchSave(file);
  // A tensor that was saved by itself has no name.
  if (name !== null && name !== TENSOR_NAME && name !== PEFT_TENSOR_NAME) throw withoutRows(file);
  const { dtype, rows, columns, bytes } = tensor;
  return { tensor: toRows(checkedKind(file, dtype, [rows, columns]), bytes), isAdapter: name === PEFT_TENSOR_NAME };
}

async function rowsOfSafetensors(path: string): Promise<FoundRows> {
  const { tensors } = await readSafetensorsHeader(path);
  const plain = tensors.get(TENSOR_NAME);
  const location = plain ?? tensors.get(PEFT_TENSOR_NAME);
  if (location === undefined) throw withoutRows(path);
  const { dtype, shape, offset, length } = location;
  const kind = checkedKind(path, dtype, shape);
  const bytes = new Uint8Array(length);
  await withFile(path, async (file) => {
    if (!(await readExactly(file, bytes, offset))) throw unusable(path, 'it ended while being read');
  });
  return { tensor: toRows(kind, bytes), isAdapter: plain === undefined };
}

interface Kind {
  dtype: DenseDtype;
  tokens: number;
  hiddenSize: number;
}

function checkedKind(path: string, dtype: string, shape: readonly number[]): Kind {
  const [tokens, hiddenSize] = shape;
  if (shape.length !== 2 || !tokens || !hiddenSize || tokens > MAX_VIRTUAL_TOKENS) {
    throw unusable(path, `its shape is [${shape.join(', ')}], not [1 to ${MAX_VIRTUAL_TOKENS} tokens, hiddenSize]`);
  }
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw unusable(path, `its dtype is ${dtype}, not F32, F16 or BF16`);
  }
  return { dtype, tokens, hiddenSize };
}

function toRows({ dtype, tokens, hiddenSize }: Kind, bytes: Uint8Array): PromptTensor {
  return dtype === 'F16' ? widen(bytes, { tokens, hiddenSize }) : { dtype, tokens, hiddenSize, bytes };
}

function withoutRows(path: string): PreambleError {
  return unusable(path, `it holds neither ${TENSOR_NAME} nor PEFT's ${PEFT_TENSOR_NAME}`);
}

export function unusable(path: string, what: string): PreambleError {
  return new PreambleError('prompt_invalid', `${path} cannot be imported: ${what}.`, {
    action:
      'Give a PEFT prompt-tuning adapter, or a safetensors or torch.save file with the tensor soft_prompt [tokens, hiddenSize].',
  });
}
