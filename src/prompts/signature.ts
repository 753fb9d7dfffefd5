import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { PreambleError } from '../errors.ts';
import { type PromptManifest, signedBytes } from './manifest.ts';
import { promptLabel } from './name.ts';

/** SHA-256 of the public key's SPKI DER bytes, as 64 hex digits. Takes a private key too. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** The manifest with an Ed25519 signature (RFC 8032) over its canonical JSON. `privateKey` must be an Ed25519 key. */
export function signManifest(manifest: PromptManifest, privateKey: KeyObject): PromptManifest {
  const value = sign(null, signedBytes(manifest), privateKey).toString('base64');
  return { ...manifest, signature: { algorithm: 'ed25519', keyId: keyId(privateKey), value } };
}

/** Throws `digest_mismatch` unless one of `trusted` (Ed25519 public keys) signed exactly this content. */
export function verifySignature(manifest: PromptManifest, trusted: readonly KeyObject[]): void {
  const label = promptLabel(manifest.name, manifest.version);
  const { signature } = manifest;
  if (signature === undefined) throw untrusted(`${label} is not signed.`);
  const key = trusted.find((candidate) => keyId(candidate) === signature.keyId);
  if (key === undefined) throw untrusted(`${label} is signed with a key that is not trusted (${signature.keyId}).`);
  if (!verify(null, signedBytes(manifest), key, Buffer.from(signature.value, 'base64'))) {
    throw untrusted(`The signature of ${label} does not fit its content.`);
  }
}

function untrusted(message: string): PreambleError {
  return new PreambleError('digest_mismatch', message, {
    action: 'Get the prompt from its author again, or check which public key is configured.',
  });
}
