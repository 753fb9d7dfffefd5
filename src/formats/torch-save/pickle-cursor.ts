import { invalidTorchSave } from './dense-tensor.ts';

/** A position in a pickle. Every read throws `format_invalid` rather than pass the end. */
export interface PickleCursor {
  readonly remaining: number;
  uint8(): number;
  uint16(): number;
  uint32(): number;
  int32(): number;
  /** UTF-8 behind its length in 4 bytes. */
  text(): string;
  /** ASCII up to a line feed, which is left out. */
  line(): string;
}

export function createPickleCursor(bytes: Uint8Array, path: string): PickleCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let position = 0;

  function advance(length: number): number {
    if (length > bytes.length - position) throw invalidTorchSave(path, 'its pickle is cut short');
    const start = position;
    position += length;
    return start;
  }

  function decode(length: number): string {
    const start = advance(length);
    try {
      return decoder.decode(bytes.subarray(start, start + length));
    } catch (error) {
      throw invalidTorchSave(path, 'a text in its pickle is not UTF-8', error);
    }
  }

  const cursor: PickleCursor = {
    get remaining() {
      return bytes.length - position;
    },
    uint8: () => view.getUint8(advance(1)),
    uint16: () => view.getUint16(advance(2), true),
    uint32: () => view.getUint32(advance(4), true),
    int32: () => view.getInt32(advance(4), true),
    text: () => decode(cursor.uint32()),
    line() {
      const end = bytes.indexOf(0x0a, position);
      if (end < 0) throw invalidTorchSave(path, 'its pickle is cut short');
      const text = decode(end - position);
      advance(1);
      return text;
    },
  };
  return cursor;
}
