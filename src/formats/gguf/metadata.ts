import { PreambleError } from '../../errors.ts';

export type GgufScalar = string | number | bigint | boolean;
/** 64-bit integers are numbers where a number holds them exactly, bigints beyond. An array holds one kind of scalar. */
export type GgufValue = GgufScalar | readonly GgufScalar[];
/** The key-value section of a GGUF file, for example `llama.block_count`, `tokenizer.ggml.tokens`. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Each reader returns undefined for an absent key and throws `format_invalid` for a value of another kind. */
export function readString(metadata: GgufMetadata, key: string): string | undefined {
  return typed(metadata, key, 'text', (value) => typeof value === 'string');
}

export function readBoolean(metadata: GgufMetadata, key: string): boolean | undefined {
  return typed(metadata, key, 'true or false', (value) => typeof value === 'boolean');
}

/** A finite number. */
export function readNumber(metadata: GgufMetadata, key: string): number | undefined {
  return typed(metadata, key, 'a finite number', isFiniteNumber);
}

/** A whole number from 0 to 2^53 - 1: a count, a size or an id. */
export function readCount(metadata: GgufMetadata, key: string): number | undefined {
  return typed(metadata, key, 'a whole number from 0 up', isCount);
}

export function readStrings(metadata: GgufMetadata, key: string): readonly string[] | undefined {
  return typed(metadata, key, 'a list of texts', (value) => isArrayOf(value, (item) => typeof item === 'string'));
}

export function readNumbers(metadata: GgufMetadata, key: string): readonly number[] | undefined {
  return typed(metadata, key, 'a list of finite numbers', (value) => isArrayOf(value, isFiniteNumber));
}

function typed<Kind extends GgufValue>(
  metadata: GgufMetadata,
  key: string,
  expected: string,
  isKind: (value: GgufValue) => value is Kind,
): Kind | undefined {
  const value = metadata.get(key);
  if (value === undefined || isKind(value)) return value;
  throw new PreambleError('format_invalid', `The GGUF file's ${key} is not ${expected}.`, {
    action: 'Fetch or convert the file again.',
  });
}

function isFiniteNumber(value: GgufValue): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isCount(value: GgufValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isArrayOf<Item extends GgufScalar>(
  value: GgufValue,
  isItem: (item: GgufScalar) => item is Item,
): value is readonly Item[] {
  return Array.isArray(value) && value.every(isItem);
}
