import { quoteName } from '../quote-name.ts';
import { type GgufCursor, invalidGguf } from './cursor.ts';
import type { GgufMetadata, GgufScalar, GgufValue } from './metadata.ts';

/** Files of large models have about 60 keys. */
const MAX_KEYS = 65_536;
/** ggml allows 2^16 - 1 bytes. */
const MAX_KEY_BYTES = 65_535;
/** Chat templates reach tens of kilobytes. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;
/** In all arrays together; a vocabulary of 260,000 tokens with scores, types and merges has 1.3 million. Bounds the memory taken. */
const MAX_ARRAY_ITEMS = 4_000_000;

const STRING = 8;
const ARRAY = 9;

/** One reader for each scalar kind, by its id in the file, and the fewest bytes that it takes. */
const scalarKinds = new Map<number, { bytes: number; read: (cursor: GgufCursor) => GgufScalar }>([
  [0, { bytes: 1, read: (cursor) => cursor.uint8() }],
  [1, { bytes: 1, read: (cursor) => cursor.int8() }],
  [2, { bytes: 2, read: (cursor) => cursor.uint16() }],
  [3, { bytes: 2, read: (cursor) => cursor.int16() }],
  [4, { bytes: 4, read: (cursor) => cursor.uint32() }],
  [5, { bytes: 4, read: (cursor) => cursor.int32() }],
  [6, { bytes: 4, read: (cursor) => cursor.float32() }],
  [7, { bytes: 1, read: (cursor) => cursor.uint8() !== 0 }],
  [STRING, { bytes: 8, read: (cursor) => cursor.text(MAX_TEXT_BYTES, 'a text') }],
  [10, { bytes: 8, read: (cursor) => exactNumber(cursor.uint64()) }],
  [11, { bytes: 8, read: (cursor) => exactNumber(cursor.int64()) }],
  [12, { bytes: 8, read: (cursor) => cursor.float64() }],
]);

/** Reads `count` key-value pairs. Throws `format_invalid`. */
export function parseMetadata(cursor: GgufCursor, count: number, file: string): GgufMetadata {
  if (count > MAX_KEYS) throw invalidGguf(file, `it claims ${count} metadata keys, the most is ${MAX_KEYS}`);
  const metadata = new Map<string, GgufValue>();
  let itemsLeft = MAX_ARRAY_ITEMS;
  for (let index = 0; index < count; index++) {
    const key = cursor.text(MAX_KEY_BYTES, 'a metadata key');
    if (metadata.has(key)) throw invalidGguf(file, `it holds the key ${quoteName(key)} twice`);
    const kind = cursor.uint32();
    if (kind === ARRAY) {
      const items = parseArray(cursor, key, itemsLeft, file);
      itemsLeft -= items.length;
      metadata.set(key, items);
    } else {
      metadata.set(key, readerOf(kind, key, file).read(cursor));
    }
  }
  return metadata;
}

function parseArray(cursor: GgufCursor, key: string, most: number, file: string): GgufScalar[] {
  // ggml has no arrays of arrays either.
  const { bytes, read } = readerOf(cursor.uint32(), key, file);
  const length = cursor.count(Math.min(most, Math.floor(cursor.remaining / bytes)), `the length of ${quoteName(key)}`);
  return Array.from({ length }, () => read(cursor));
}

function readerOf(kind: number, key: string, file: string) {
  const reader = scalarKinds.get(kind);
  if (reader === undefined) throw invalidGguf(file, `the key ${quoteName(key)} has the unknown type ${kind}`);
  return reader;
}

function exactNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
