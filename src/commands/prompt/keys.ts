import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PreambleError, toError } from '../../errors.ts';

/** A PEM file with an Ed25519 key. Throws `file_unreadable`, `format_invalid`. */
export async function readKey(path: string, kind: 'private' | 'public'): Promise<KeyObject> {
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new PreambleError('file_unreadable', `Cannot read ${path}: ${toError(error).message}.`, { cause: error });
  });
  let key: KeyObject;
  try {
    key = kind === 'private' ? createPrivateKey(pem) : createPublicKey(pem);
  } catch (error) {
    throw notAKey(path, kind, error);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw notAKey(path, kind);
  return key;
}

function notAKey(path: string, kind: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${path} holds no ${kind} Ed25519 key in PEM form.`, {
    action:
      'Make a pair: openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out public.pem',
    cause,
  });
}
