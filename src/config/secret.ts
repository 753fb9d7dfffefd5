import { readFile } from 'node:fs/promises';
import { PreambleError } from '../errors.ts';
import type { SecretSource } from './schema/common.ts';

/** Reads a secret from where the settings say. One line feed at a file's end is the editor's. Throws `config_invalid`, `file_unreadable`. */
export async function readSecret(source: SecretSource, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const secret = source.file === undefined ? fromEnvironment(source.env, environment) : await fromFile(source.file);
  if (secret !== '') return secret;
  throw new PreambleError('config_invalid', `${source.file ?? source.env} holds no secret.`, { action: 'Fill it in.' });
}

function fromEnvironment(name: string | undefined, environment: NodeJS.ProcessEnv): string {
  const value = environment[name ?? ''];
  if (value !== undefined) return value;
  throw new PreambleError('config_invalid', `The environment variable ${name} is not set.`, {
    action: 'Set it to the secret that the settings expect there.',
  });
}

async function fromFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new PreambleError('file_unreadable', `The secret in ${path} can't be read.`, {
      action: 'Check the path and its permissions.',
      cause,
    });
  }
}
