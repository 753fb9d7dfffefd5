import { readFile } from 'node:fs/promises';
import { PreambleError } from '../errors.ts';
import type { SecretSource } from './schema/common.ts';

/** Keys and passwords are short; what is longer is another file. */
const MAX_SECRET_BYTES = 64 * 1024;

/**
 * The secret that a setting points to, without the line break that editors put at the end. `setting` is named in errors, the secret never.
 * Throws `config_invalid`, `file_unreadable`.
 */
export async function readSecret(
  source: SecretSource,
  setting: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const secret = source.file === undefined ? environment[source.env ?? ''] : await readText(source.file, setting);
  const trimmed = secret?.replace(/\r?\n$/, '') ?? '';
  if (trimmed === '') {
    const where = source.file ?? `The environment variable ${source.env ?? ''}`;
    throw new PreambleError('config_invalid', `${where}, which should hold ${setting}, is empty or not there.`, {
      action: 'Set it, or point the setting elsewhere.',
    });
  }
  return trimmed;
}

async function readText(path: string, setting: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new PreambleError('file_unreadable', `${path}, which should hold ${setting}, can't be read.`, {
      action: 'Check the path and its permissions.',
      cause: error,
    });
  }
  if (text.length > MAX_SECRET_BYTES) {
    throw new PreambleError('config_invalid', `${path}, which should hold ${setting}, is too large for a secret.`, {
      action: 'Point the setting to the right file.',
    });
  }
  return text;
}
