/** Takes the place of half a surrogate pair whose other half never came. */
const REPLACEMENT = '\ufffd';

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Cuts a text that arrives in pieces into code points, even where a piece ends within a surrogate pair. */
export class CodePoints {
  readonly #each: (character: string, at: number) => void;
  #offset = 0;
  #half = '';

  /** `each` gets every code point and where it begins, in UTF-16 code units from the start of the text. */
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
    for (const character of joined.slice(0, whole)) {
      this.#each(character, this.#offset);
      this.#offset += character.length;
    }
  }

  end(): void {
    if (this.#half !== '') this.#each(REPLACEMENT, this.#offset);
    this.#offset += this.#half.length;
    this.#half = '';
  }
}
