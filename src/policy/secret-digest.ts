import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256 takes its time with what may be as long as all headers together. */
const MAX_SECRET_LENGTH = 1024;

/** What is kept of a secret and compared in its place: as long for all, and its bytes lead to no secret. Null for what is too long to be one. */
export function digestOfSecret(secret: string | Uint8Array): Buffer | null {
  return secret.length > MAX_SECRET_LENGTH ? null : hash('sha256', secret, 'buffer');
}

/** Takes as long however much of the two is the same. */
export function isSameDigest(known: Buffer, given: Buffer): boolean {
  return timingSafeEqual(known, given);
}
