import { digestOfSecret, isSameDigest } from './secret-digest.ts';

/** RFC 7617, section 2: the scheme's name in any case, and base64 in whole groups (Node would read past what is none). */
const BASIC = /^Basic +((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/i;
const COLON = 0x3a;

/**
 * Whether an `authorization` header holds the password with this digest; null stands for none that is asked for. The user name before it may be
 * any: browsers and Prometheus send one, but there is one password and nobody's account, so a name would be believed and not known.
 */
export function holdsPassword(password: Buffer | null, authorization: string | undefined): boolean {
  if (password === null) return true;
  const encoded = authorization === undefined ? undefined : BASIC.exec(authorization)?.[1];
  if (encoded === undefined) return false;
  const credentials = Buffer.from(encoded, 'base64');
  // The first one: a user name has none, a password may.
  const colon = credentials.indexOf(COLON);
  const given = colon === -1 ? null : digestOfSecret(credentials.subarray(colon + 1));
  return given !== null && isSameDigest(password, given);
}
