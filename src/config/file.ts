import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { PreambleError } from '../errors.ts';
import { isObject } from '../openai/validate.ts';
import type { Locate } from './problem.ts';

/** Settings for hundreds of models take some 100 kB. */
const MAX_CONFIG_BYTES = 2 ** 20;

export interface ConfigFile {
  readonly value: object;
  readonly locate: Locate;
}

/** Null if there is no such file. Throws `file_unreadable`, `config_invalid` with the line. */
export async function readConfigFile(path: string): Promise<ConfigFile | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new PreambleError('file_unreadable', `${path} can't be read.`, {
      action: 'Check its permissions.',
      cause: error,
    });
  }
  if (text.length > MAX_CONFIG_BYTES)
    throw new PreambleError('config_invalid', `${path} is larger than ${MAX_CONFIG_BYTES} bytes.`);
  return parseConfigText(text, path);
}

/** YAML 1.2; keys that stand twice are errors. Throws `config_invalid`. */
function parseConfigText(text: string, path: string): ConfigFile {
  const lines = new LineCounter();
  // Quiet: what the library only warns of (mappings as keys) is no setting either, and is told as such, on one line.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new PreambleError('config_invalid', `${path}:${lines.linePos(error.pos[0]).line}: ${error.message}.`, {
      action: 'Correct the YAML.',
    });
  }
  // Not what is built in, which has other models and no tenants: an editor or a full disk may have left it so.
  if (document.contents === null) {
    throw new PreambleError('config_invalid', `${path} is empty.`, { action: 'Write {} for what is built in.' });
  }
  const locate: Locate = (keys) => `${path}${lineOf(document, lines, keys)}: ${keys.join('.') || 'the file'}`;
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (cause) {
    throw new PreambleError('config_invalid', `${path} repeats its aliases too often.`, { cause });
  }
  if (!isObject(value)) {
    throw new PreambleError('config_invalid', `${path} must hold settings by name.`, {
      action: 'See: preamble config schema.',
    });
  }
  return { value, locate };
}

/** `:12` for the value, or for the nearest thing around it that stands in the file. */
function lineOf(document: ReturnType<typeof parseDocument>, lines: LineCounter, keys: readonly string[]): string {
  for (let length = keys.length; length > 0; length--) {
    const node: unknown = document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range) return `:${lines.linePos(node.range[0]).line}`;
  }
  return '';
}
