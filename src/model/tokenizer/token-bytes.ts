import { PreambleError } from '../../errors.ts';
import type { TokenizerJson } from './tokenizer-file.ts';

/** How the vocabulary's spellings stand for bytes. */
export interface TokenSpelling {
  bytes(token: string): Uint8Array;
  /** Leading spaces that decoding a whole text removes, because encoding had put them there. */
  readonly stripLeadingSpaces: number;
}

type Component = NonNullable<TokenizerJson['decoder']>;

const encoder = new TextEncoder();

/** Throws `model_unsupported` for a decoder other than those of GPT-2 (bytes as letters) and SentencePiece (`▁`, `<0x0A>`). */
export function tokenSpelling(decoder: TokenizerJson['decoder'], path: string): TokenSpelling {
  const parts = flatten(decoder ?? null);
  if (parts.some((part) => part.type === 'ByteLevel')) return { bytes: byteLevelBytes, stripLeadingSpaces: 0 };
  const metaspace = parts.find((part) => part.type === 'Metaspace');
  if (metaspace !== undefined) {
    const always = !('prepend_scheme' in metaspace && metaspace.prepend_scheme === 'never');
    return { bytes: sentencePieceBytes, stripLeadingSpaces: always ? 1 : 0 };
  }
  const replacesSpaces = parts.some(
    (part) =>
      part.type === 'Replace' && 'content' in part && part.content === ' ' && JSON.stringify(part).includes('▁'),
  );
  if (replacesSpaces) return { bytes: sentencePieceBytes, stripLeadingSpaces: leadingStrip(parts) };
  throw new PreambleError(
    'model_unsupported',
    `${path} has a decoder that Preamble doesn't know (${parts.map((part) => part.type).join(', ') || 'none'}).`,
    { action: 'Choose a Llama, Mistral or Qwen model.' },
  );
}

function flatten(component: Component | null): Component[] {
  if (component === null) return [];
  if (component.type === 'Sequence' && 'decoders' in component && Array.isArray(component.decoders)) {
    return component.decoders.flatMap((part: Component) => flatten(part));
  }
  return [component];
}

function leadingStrip(parts: readonly Component[]): number {
  const strip = parts.find((part) => part.type === 'Strip' && 'content' in part && part.content === ' ');
  return strip !== undefined && 'start' in strip && typeof strip.start === 'number' ? strip.start : 0;
}

/** GPT-2's `bytes_to_unicode`, inverted: printable Latin-1 stands for itself, the other bytes for U+0100 and up. */
const byteOfLetter = new Map<number, number>();
let nextLetter = 0x100;
for (let byte = 0; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  byteOfLetter.set(printable ? byte : nextLetter++, byte);
}

/** The 256 letters, by no particular order. */
export const byteLetters: readonly string[] = [...byteOfLetter.keys()].map((code) => String.fromCharCode(code));

function byteLevelBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfLetter.get(token.charCodeAt(i));
    if (byte === undefined) return encoder.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}

function sentencePieceBytes(token: string): Uint8Array {
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
  return byte === undefined ? encoder.encode(token.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(byte, 16));
}
