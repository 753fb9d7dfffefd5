import { readFile } from 'node:fs/promises';
import type { RedisSettings } from '../config/schema/redis.ts';
import { readSecret } from '../config/secret.ts';
import { PreambleError } from '../errors.ts';

/** What Redis, and the sentinels that lead to it, want to know of us; and what we want to know of them. */
export interface RedisCredentials {
  readonly username: string | null;
  readonly password: string | null;
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  /** Certificate authorities in PEM; null for those that the system trusts. */
  readonly authorities: string | null;
}

type Settings = Pick<RedisSettings, 'username' | 'password' | 'sentinelUsername' | 'sentinelPassword' | 'caFile'>;

/** Throws `config_invalid`, `file_unreadable`. */
export async function readRedisCredentials(settings: Settings): Promise<RedisCredentials> {
  const { username, password, sentinelUsername, sentinelPassword, caFile } = settings;
  return {
    username: username ?? null,
    password: password === undefined ? null : await readSecret(password),
    sentinelUsername: sentinelUsername ?? null,
    sentinelPassword: sentinelPassword === undefined ? null : await readSecret(sentinelPassword),
    authorities: caFile === undefined ? null : await readAuthorities(caFile),
  };
}

async function readAuthorities(path: string): Promise<string> {
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new PreambleError('file_unreadable', `${path} (redis.caFile) can't be read.`, {
      action: 'Check the path and its permissions.',
      cause: error,
    });
  });
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new PreambleError('config_invalid', `${path} (redis.caFile) holds no certificate in PEM form.`, {
    action: 'Name the file of the certificate authority.',
  });
}
