import { readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError } from '../../errors.ts';
import { readProvenance } from '../provenance.ts';

const configName = Compile(
  Type.Object({ _name_or_path: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._-]+$' }) }),
);

/**
 * The absolute path of a model directory that was given as such: a path by its looks, or any directory with a config.json.
 * Null where it is a name. Throws `file_unreadable` for a path that leads to no model.
 */
export async function localDirectory(given: string): Promise<string | null> {
  const path = resolve(given);
  const stats = await stat(path).catch(() => null);
  if (stats?.isDirectory() && (await isFile(join(path, 'config.json')))) return path;
  if (given.toLowerCase().endsWith('.gguf') && stats?.isFile()) {
    throw new PreambleError('file_unreadable', `${given} is a GGUF file, which has to be converted once.`, {
      action: `Run: preamble model add ${given}`,
    });
  }
  if (!looksLikePath(given)) return null;
  const what = stats === null ? 'does not exist' : stats.isDirectory() ? 'has no config.json' : 'is not a directory';
  throw new PreambleError('file_unreadable', `${given} ${what}.`, {
    action: 'Give a directory with config.json, tokenizer.json and model.safetensors, as Hugging Face models have.',
  });
}

function looksLikePath(given: string): boolean {
  return isAbsolute(given) || /^\.{1,2}([/\\]|$)/.test(given) || given.endsWith('/') || given.split('/').length > 2;
}

/** Its recorded id, else the hub id in its config.json, else the folder's name. */
export async function identifyDirectory(directory: string): Promise<string> {
  const recorded = await readProvenance(directory);
  if (recorded !== null) return recorded.id;
  try {
    const config: unknown = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
    if (configName.Check(config)) return config._name_or_path;
  } catch {
    // Whoever loads the model says what is wrong with its config.
  }
  return basename(directory);
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
