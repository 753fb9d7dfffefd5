/** What JSON can say; absent optional members may be `undefined`. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/**
 * The one spelling of a JSON value, so that two writers of the same content agree on its bytes (RFC 8785, JSON Canonicalization Scheme).
 * JSON.stringify already spells numbers and strings as the RFC asks (it was written after ECMAScript); what is left is the order of
 * keys, by UTF-16 code units, and refusing what has no spelling. Throws RangeError for a number that is not finite and for a lone surrogate.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError('JSON has no numbers that are not finite');
  if (typeof value === 'string' && !value.isWellFormed())
    throw new RangeError('text with a lone surrogate has no UTF-8');
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter((member): member is [string, JsonValue] => member[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${canonicalJson(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
