import type { GgufScalar } from './metadata.ts';

/** Ids of the kinds that are written; those of ggml. */
const kinds = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8 } as const;
const ARRAY = 9;

export type GgufKind = keyof typeof kinds;

/** One key with its value, or the bytes of one that is handed on as it was read. */
export type GgufField =
  | { readonly key: string; readonly kind: GgufKind; readonly value: GgufScalar | readonly GgufScalar[] }
  | { readonly raw: Uint8Array };

/** The bytes of one key-value pair. */
export function encodeField(field: GgufField): Uint8Array {
  if ('raw' in field) return field.raw;
  const { key, kind, value } = field;
  if (!isList(value)) return Buffer.concat([encodeText(key), uint32(kinds[kind]), encodeScalar(kind, value)]);
  const items = value.map((item) => encodeScalar(kind, item));
  return Buffer.concat([encodeText(key), uint32(ARRAY), uint32(kinds[kind]), uint64(items.length), ...items]);
}

function encodeScalar(kind: GgufKind, value: GgufScalar): Uint8Array {
  switch (kind) {
    case 'string':
      return encodeText(String(value));
    case 'bool':
      return Uint8Array.of(value === true ? 1 : 0);
    case 'uint32':
      return uint32(Number(value));
    default: {
      const bytes = Buffer.alloc(4);
      if (kind === 'int32') bytes.writeInt32LE(Number(value));
      else bytes.writeFloatLE(Number(value));
      return bytes;
    }
  }
}

/** Length-prefixed UTF-8. */
export function encodeText(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

export function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: GgufScalar | readonly GgufScalar[]): value is readonly GgufScalar[] {
  return Array.isArray(value);
}
