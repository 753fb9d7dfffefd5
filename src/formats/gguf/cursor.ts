import { PreambleError } from '../../errors.ts';

/** A position in the header's bytes. Every read throws `format_invalid` rather than pass the end. */
export interface GgufCursor {
  readonly position: number;
  readonly remaining: number;
  uint8(): number;
  int8(): number;
  uint16(): number;
  int16(): number;
  uint32(): number;
  int32(): number;
  float32(): number;
  float64(): number;
  uint64(): bigint;
  int64(): bigint;
  /** A length or count: a uint64 of at most `most`, the field's name being `what`. */
  count(most: number, what: string): number;
  /** A length-prefixed UTF-8 text of at most `most` bytes. */
  text(most: number, what: string): string;
}

/** `file` is the file's name for messages. All numbers are little-endian. */
export function createCursor(bytes: Uint8Array, file: string): GgufCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let position = 0;

  function advance(length: number): number {
    if (length > bytes.length - position) throw invalidGguf(file, 'its header is cut short or larger than supported');
    const start = position;
    position += length;
    return start;
  }

  function count(most: number, what: string): number {
    const value = view.getBigUint64(advance(8), true);
    if (value > most) throw invalidGguf(file, `${what} is ${value}, the most is ${most}`);
    return Number(value);
  }

  return {
    get position() {
      return position;
    },
    get remaining() {
      return bytes.length - position;
    },
    uint8: () => view.getUint8(advance(1)),
    int8: () => view.getInt8(advance(1)),
    uint16: () => view.getUint16(advance(2), true),
    int16: () => view.getInt16(advance(2), true),
    uint32: () => view.getUint32(advance(4), true),
    int32: () => view.getInt32(advance(4), true),
    float32: () => view.getFloat32(advance(4), true),
    float64: () => view.getFloat64(advance(8), true),
    uint64: () => view.getBigUint64(advance(8), true),
    int64: () => view.getBigInt64(advance(8), true),
    count,
    text(most, what) {
      const length = count(most, `the length of ${what}`);
      const start = advance(length);
      try {
        return decoder.decode(bytes.subarray(start, start + length));
      } catch (error) {
        throw invalidGguf(file, `${what} is not UTF-8`, error);
      }
    },
  };
}

export function invalidGguf(file: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `${file} is not a valid GGUF file: ${what}.`, {
    action: 'Fetch or convert the file again.',
    cause,
  });
}
