/** Takes the place of half a surrogate pair whose other half never came. */
const REPLACEMENT = '\ufffd';

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
const isLowerAscii = (unit: number): boolean => unit >= 0x61 && unit <= 0x7a;

/**
 * Cuts a text that arrives in pieces into code points, even where a piece ends within a surrogate pair. Lower-case letters of ASCII that
 * stand together come together: they are most of a text, and nothing begins or ends within them.
 */
export class CodePoints {
  readonly #each: (character: string, at: number) => void;
  #offset = 0;
  #half = '';

  /** `each` gets every code point, or run of letters, and where it begins, in UTF-16 code units from the start of the text. */
  constructor(each: (character: string, at: number) => void) {
    this.#each = each;
  }

  /** UTF-16 code units so far. */
  get length(): number {
    return this.#offset + this.#half.length;
  }

  push(text: string): void {
    const joined = this.#half + text;
    const whole = isHighSurrogate(joined.charCodeAt(joined.length - 1)) ? joined.length - 1 : joined.length;
    this.#half = joined.slice(whole);
    const from = this.#offset;
    for (let at = 0; at < whole; ) {
      const end = endOfNext(joined, at, whole);
      this.#each(joined.slice(at, end), from + at);
      at = end;
    }
    this.#offset = from + whole;
  }

  end(): void {
    if (this.#half !== '') this.#each(REPLACEMENT, this.#offset);
    this.#offset += this.#half.length;
    this.#half = '';
  }
}

function endOfNext(text: string, at: number, end: number): number {
  const unit = text.charCodeAt(at);
  if (isLowerAscii(unit)) {
    let next = at + 1;
    while (next < end && isLowerAscii(text.charCodeAt(next))) next++;
    return next;
  }
  return isHighSurrogate(unit) && at + 1 < end && isLowSurrogate(text.charCodeAt(at + 1)) ? at + 2 : at + 1;
}
