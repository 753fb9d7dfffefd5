import { PreambleError } from '../errors.ts';

/** Where a value stands in a text: from its first byte to behind its last. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Where the values of an object stand in its JSON text (RFC 8259), so that one can be replaced and all others stay as they came: numbers
 * beyond 2^53, escapes, the order of names. `bytes` has been parsed already, and so is valid JSON. Throws `invalid_request` for a name
 * that stands twice: two readers could take different ones.
 */
export function objectSpans(bytes: Buffer, object: JsonSpan): Map<string, JsonSpan> {
  const spans = new Map<string, JsonSpan>();
  let at = skipSpace(bytes, object.start + 1);
  while (bytes[at] !== CLOSE_BRACE) {
    const nameEnd = skipString(bytes, at);
    const name = String(JSON.parse(bytes.toString('utf8', at, nameEnd)));
    const start = skipSpace(bytes, skipSpace(bytes, nameEnd) + 1);
    const end = skipValue(bytes, start);
    if (spans.has(name)) throw namedTwice(name);
    spans.set(name, { start, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return spans;
}

/**
 * Throws `invalid_request` for a name that stands twice in one object, at any depth: what was checked is what `JSON.parse` took, the last,
 * and who reads the bytes after us may take the first.
 */
export function assertUniqueNames(bytes: Buffer): void {
  const { start, end } = rootSpan(bytes);
  /** Of each open object the names so far; null for an open array. */
  const open: (Set<string> | null)[] = [];
  for (let at = start; at < end; ) {
    const byte = bytes[at];
    if (byte === OPEN_BRACE) open.push(new Set());
    else if (byte === OPEN_BRACKET) open.push(null);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) open.pop();
    if (byte !== QUOTE) {
      at++;
      continue;
    }
    const behind = skipString(bytes, at);
    if (bytes[skipSpace(bytes, behind)] === COLON) {
      const name = String(JSON.parse(bytes.toString('utf8', at, behind)));
      const names = open.at(-1);
      if (names?.has(name)) throw namedTwice(name);
      names?.add(name);
    }
    at = behind;
  }
}

function namedTwice(name: string): PreambleError {
  return new PreambleError('invalid_request', `The request body names ${JSON.stringify(name.slice(0, 80))} twice.`, {
    action: 'Send it once.',
    param: name.slice(0, 80),
  });
}

/** Where the items of an array stand. */
export function arraySpans(bytes: Buffer, array: JsonSpan): JsonSpan[] {
  const spans: JsonSpan[] = [];
  let at = skipSpace(bytes, array.start + 1);
  while (bytes[at] !== CLOSE_BRACKET) {
    const end = skipValue(bytes, at);
    spans.push({ start: at, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return spans;
}

/** The whole text's value, without what stands around it (white space, a byte order mark). */
export function rootSpan(bytes: Buffer): JsonSpan {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const start = skipSpace(bytes, hasMark ? 3 : 0);
  return { start, end: skipValue(bytes, start) };
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++;
  return at;
}

/** From an opening quote to behind the closing one. */
function skipString(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(QUOTE, from + 1);
  while (isEscaped(bytes, at)) at = bytes.indexOf(QUOTE, at + 1);
  if (at < 0) throw notJson();
  return at + 1;
}

/** An odd number of backslashes in front. Each run of them is looked at once a quote, so time is linear. */
function isEscaped(bytes: Buffer, quote: number): boolean {
  let count = 0;
  while (bytes[quote - 1 - count] === BACKSLASH) count++;
  return count % 2 === 1;
}

function skipValue(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return skipString(bytes, from);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(bytes, from);
  let at = from;
  for (let byte = bytes[at]; byte !== undefined && !endsScalar(byte); byte = bytes[at]) at++;
  return at;
}

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === COLON || byte <= 0x20;
}

function skipNested(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    at++;
    if (depth === 0) return at;
  }
  throw notJson();
}

/** Not reached with text that JSON.parse has taken. */
function notJson(): PreambleError {
  return new PreambleError('invalid_request', 'The request body is not valid JSON.', { action: 'Send a JSON object.' });
}
