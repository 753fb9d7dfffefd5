import { readFile } from 'node:fs/promises';
import { PreambleError, toError } from '../../errors.ts';
import { writePrompt } from '../../prompts/artifact-write.ts';
import { type ExportFormat, exportPrompt } from '../../prompts/export.ts';
import { type MadePrompt, promptFromText } from '../../prompts/from-text.ts';
import { importPrompt } from '../../prompts/import.ts';
import { promptLabel, quote } from '../../prompts/name.ts';
import { signManifest } from '../../prompts/signature.ts';
import type { PromptPosition } from '../../prompts/soft-prompt.ts';
import { type Output, writeResult } from '../output.ts';
import { openPrompts, type ReadOptions } from './directories.ts';
import { readKey } from './keys.ts';
import { modelDirectoryFor } from './model.ts';

export interface NewVersion {
  name: string;
  version: string;
}

export interface WriteOptions {
  model: string;
  name: NewVersion;
  out: string;
  position: PromptPosition;
  signWith?: string | undefined;
  json?: boolean | undefined;
}

export interface FromTextOptions extends WriteOptions {
  text?: string | undefined;
  textFile?: string | undefined;
}

export interface ExportOptions extends ReadOptions {
  out: string;
  format: ExportFormat;
}

export async function makeFromText(options: FromTextOptions, output: Output): Promise<void> {
  const text = await textOf(options);
  const directory = await modelDirectoryFor(options.model, output);
  await write(await promptFromText(directory, { ...options.name, position: options.position, text }), options, output);
}

export async function addPrompt(path: string, options: WriteOptions, output: Output): Promise<void> {
  const modelDirectory = await modelDirectoryFor(options.model, output);
  const imported = await importPrompt(path, { ...options.name, position: options.position, modelDirectory });
  const { id } = imported.content.model;
  if (imported.baseModel !== null && imported.baseModel !== id) {
    output.stderr.write(`The adapter says it was trained on ${quote(imported.baseModel)}; it is now bound to ${id}.\n`);
  }
  await write(imported, options, output);
}

export async function exportPromptTo(reference: string, options: ExportOptions, output: Output): Promise<void> {
  const prompt = (await openPrompts(options)).resolve(reference);
  await exportPrompt(prompt, options.format, options.out);
  const value = { prompt: prompt.label, format: options.format, path: options.out };
  writeResult(options.json, value, `Wrote ${prompt.label} to ${options.out}`, output);
}

async function write({ content, tensor }: MadePrompt, options: WriteOptions, output: Output): Promise<void> {
  const key = options.signWith === undefined ? null : await readKey(options.signWith, 'private');
  const { directory, digest, isNew } = await writePrompt(
    options.out,
    content,
    tensor,
    key === null ? {} : { sign: (manifest) => signManifest(manifest, key) },
  );
  const label = promptLabel(content.name, content.version);
  const { tokens } = tensor;
  writeResult(
    options.json,
    { prompt: label, digest, directory, tokens, isNew },
    isNew ? `Wrote ${label}, ${tokens} virtual tokens (${directory})` : `${label} is there already (${directory})`,
    output,
  );
}

async function textOf({ text, textFile }: FromTextOptions): Promise<string> {
  if (text !== undefined) return text;
  try {
    const bytes = await readFile(String(textFile));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/[\r\n]+$/, '');
  } catch (error) {
    throw new PreambleError('file_unreadable', `Cannot read ${textFile}: ${toError(error).message}.`, {
      action: 'Give a text file in UTF-8.',
      cause: error,
    });
  }
}
