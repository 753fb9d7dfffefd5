import { readFile } from 'node:fs/promises';
import { PreambleError, toError } from '../errors.ts';
import type { SecretSource } from './schema/common.ts';

/** Keys and passwords have tens of characters; a source with more is another file. */
const MAX_SECRET_LENGTH = 16_384;

/**
 * The secret that a setting points to, without the one newline that editors and `echo` put at a file's end. Errors name the place, never the
 * content. Throws `file_unreadable`, `config_invalid`.
 */
export async function readSecret(source: SecretSource, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const text = source.file === undefined ? environment[source.env ?? ''] : await readSecretFile(source.file);
  const where = source.file ?? `The environment variable ${source.env}`;
  if (text === undefined) throw invalid(`${where} is not set.`, 'Set it to the secret, or name another source.');
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw invalid(`${where} is empty.`, 'Put the secret there.');
  if (/[\r\n\0]/.test(secret) || secret.length > MAX_SECRET_LENGTH) {
    throw invalid(`${where} holds more than one line.`, 'Put the secret there, and nothing else.');
  }
  return secret;
}

async function readSecretFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PreambleError('file_unreadable', `A secret can't be read: ${toError(error).message}.`, {
      action: 'Check the path and its permissions.',
      cause: error,
    });
  }
}

function invalid(message: string, action: string): PreambleError {
  return new PreambleError('config_invalid', message, { action });
}
