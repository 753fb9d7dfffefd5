import { createCursor, type GgufCursor, invalidGguf } from './cursor.ts';

export interface GgufSpans {
  readonly version: number;
  /** Each key with the bytes of its whole pair, in the file's order. */
  readonly fields: readonly { readonly key: string; readonly bytes: Uint8Array }[];
}

/** Bytes of a scalar by its kind; texts (8) and arrays (9) have no fixed size. */
const SIZES = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
const TEXT = 8;
const ARRAY = 9;
/** `parseGgufHeader` has set the real limits: these only keep a count from overflowing. */
const MOST = 2 ** 32;

/** Where each key-value pair lies, so that it can be handed on as it is. `bytes` begin a file that `parseGgufHeader` has taken. */
export function metadataSpans(bytes: Uint8Array, file: string): GgufSpans {
  const cursor = createCursor(bytes, file);
  cursor.uint32();
  const version = cursor.uint32();
  cursor.uint64();
  const count = cursor.count(MOST, 'the number of metadata keys');
  const fields = Array.from({ length: count }, () => {
    const start = cursor.position;
    const key = cursor.text(MOST, 'a metadata key');
    skipValue(cursor, cursor.uint32(), file);
    return { key, bytes: bytes.subarray(start, cursor.position) };
  });
  return { version, fields };
}

function skipValue(cursor: GgufCursor, kind: number, file: string): void {
  if (kind === ARRAY) {
    const item = cursor.uint32();
    const length = cursor.count(MOST, 'the length of an array');
    if (item === ARRAY) throw invalidGguf(file, 'it holds an array of arrays');
    for (let index = 0; index < length; index++) skipValue(cursor, item, file);
  } else if (kind === TEXT) {
    cursor.text(MOST, 'a text');
  } else {
    for (let left = SIZES.get(kind) ?? 0; left > 0; left--) cursor.uint8();
  }
}
