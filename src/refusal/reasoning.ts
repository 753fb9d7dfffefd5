import { isLowerAscii } from './normalize.ts';

const OPEN_TAGS = ['<think>', '<thinking>'];
const CLOSE_TAGS = ['</think>', '</thinking>'];
/** As `trim` has it; nearly every character is a visible one of ASCII. */
const isBlank = (character: string): boolean =>
  character > ' ' && character < '\u007f' ? false : character.trim() === '';

const LONGEST_TAG = Math.max(...CLOSE_TAGS.map((tag) => tag.length));

export interface ReasoningSink {
  /** A code point, or a run of lower-case letters of ASCII. */
  character(character: string, at: number): void;
  /** What came so far was reasoning: forget it. */
  restart(): void;
}

/**
 * Leaves out a leading `<think>…</think>`. Some chat templates put the opening tag in the prompt, so that the answer holds only the
 * closing one: a closing tag at the start of a line makes everything before it reasoning, once.
 */
export class ReasoningFilter {
  readonly #sink: ReasoningSink;
  #state: 'start' | 'inside' | 'outside' = 'start';
  /** A closing tag has been seen; a second one is text. */
  #closed = false;
  #lineStart = true;
  /** Characters that may turn out to be a tag; never longer than one. */
  #held: { character: string; at: number }[] = [];

  constructor(sink: ReasoningSink) {
    this.#sink = sink;
  }

  /** A code point, or a run of lower-case letters of ASCII. */
  character(character: string, at: number): void {
    if (this.#held.length > 0) {
      // A run may hold a tag's end of which not all belongs to it.
      const [first, ...rest] = isLowerAscii(character) ? [...character] : [character];
      this.#held.push({ character: first ?? '', at });
      this.#resolve();
      for (const [index, letter] of rest.entries()) this.character(letter, at + 1 + index);
    } else if (character === '<' && this.#mayBeTag()) {
      this.#held.push({ character, at });
    } else {
      this.#pass(character, at);
    }
  }

  end(): void {
    this.#release();
  }

  #mayBeTag(): boolean {
    return this.#state === 'outside' ? this.#lineStart && !this.#closed : true;
  }

  #resolve(): void {
    const text = this.#held.map((held) => held.character.toLowerCase()).join('');
    const tags = this.#state === 'start' ? [...OPEN_TAGS, ...CLOSE_TAGS] : CLOSE_TAGS;
    if (tags.includes(text)) {
      this.#held = [];
      this.#closed = text.startsWith('</');
      this.#state = this.#closed ? 'outside' : 'inside';
      this.#sink.restart();
    } else if (text.length >= LONGEST_TAG || !tags.some((tag) => tag.startsWith(text))) {
      this.#release();
    }
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    const [first, ...rest] = held;
    if (first === undefined) return;
    this.#pass(first.character, first.at);
    for (const { character, at } of rest) this.character(character, at);
  }

  #pass(character: string, at: number): void {
    if (this.#state === 'inside') return;
    const blank = isBlank(character);
    if (this.#state === 'start' && !blank) this.#state = 'outside';
    if (character === '\n') this.#lineStart = true;
    else if (!blank) this.#lineStart = false;
    this.#sink.character(character, at);
  }
}
