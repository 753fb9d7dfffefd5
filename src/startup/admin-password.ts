import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secret.ts';
import { PreambleError } from '../errors.ts';
import { digestOfSecret } from '../policy/secret-digest.ts';

/** The digest of what opens the operators' listener; null where nothing is asked for. Throws `file_unreadable`, `config_invalid`. */
export async function readAdminPassword(settings: Config['admin']): Promise<Buffer | null> {
  if (settings?.password === undefined) return null;
  const digest = digestOfSecret(Buffer.from(await readSecret(settings.password)));
  if (digest === null) {
    throw new PreambleError('config_invalid', 'admin.password is longer than any that is compared.', {
      action: 'Choose one of at most 1024 bytes.',
    });
  }
  return digest;
}
