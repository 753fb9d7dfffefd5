/** The bytes of small GGUF files, right or wrong, for the parser's tests. */

export const u8 = (value: number) => Uint8Array.of(value);
export const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
export const u64 = (value: number | bigint) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
export const f32 = (value: number) => new Uint8Array(Float32Array.of(value).buffer);
export const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

export interface TensorInfo {
  name: string;
  sizes: (number | bigint)[];
  type: number;
  offset: number | bigint;
}

export interface Parts {
  magic?: string;
  version?: number;
  tensorCount?: number | bigint;
  keyCount?: number | bigint;
  /** Each a key, its value's type and the value's bytes. */
  pairs?: [key: string, type: number, value: Uint8Array][];
  tensors?: TensorInfo[];
  alignment?: number;
  dataBytes?: number;
}

/** Where every field is left out: a valid file with no keys and no tensors. */
export function buildGguf(parts: Parts = {}): Buffer {
  const { pairs = [], tensors = [], alignment = 32, dataBytes = 0 } = parts;
  const header = Buffer.concat([
    Buffer.from(parts.magic ?? 'GGUF'),
    u32(parts.version ?? 3),
    u64(parts.tensorCount ?? tensors.length),
    u64(parts.keyCount ?? pairs.length),
    ...pairs.flatMap(([key, type, value]) => [text(key), u32(type), value]),
    ...tensors.flatMap(({ name, sizes, type, offset }) => [
      text(name),
      u32(sizes.length),
      ...sizes.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  return Buffer.concat([
    header,
    Buffer.alloc(Math.ceil(header.length / alignment) * alignment - header.length + dataBytes),
  ]);
}
