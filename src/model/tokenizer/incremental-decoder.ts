import { TextDecoder } from 'node:util';

/** Turns ids into text one at a time. */
export interface IncrementalDecoder {
  /** The text that became readable: whole UTF-8 characters only. */
  push(id: number): string;
  /** The end of the answer: what is left of it. A character of which only some bytes came is dropped, never replaced. */
  flush(): string;
}

/** `bytesOf` gives no bytes for a token that is not shown. */
export function createIncrementalDecoder(bytesOf: (id: number) => Uint8Array): IncrementalDecoder {
  // bytes that can never become a character are replaced at once, as in any UTF-8 decoder; unfinished ones wait
  let decoder = newDecoder();
  return {
    push(id) {
      const bytes = bytesOf(id);
      return bytes.length === 0 ? '' : decoder.decode(bytes, { stream: true });
    },
    flush() {
      decoder = newDecoder();
      return '';
    },
  };
}

function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}
