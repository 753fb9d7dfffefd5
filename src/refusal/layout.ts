import { isPlainFence, type LineKind, lineKind, MAX_LINE_PREFIX } from './line-kind.ts';
import { isLowerAscii, isUnspaced, isWordCharacter, normalizeCodePoint } from './normalize.ts';
import { Quotes } from './quotes.ts';

/** Longer words are cut: no phrase needs them, and memory stays bounded. */
const MAX_WORD_CHARACTERS = 40;
/** A sentence is taken to end after so many words: some small models never write a full stop. */
const MAX_SENTENCE_WORDS = 120;
/** A line in capitals of 2 to 30 letters names a speaker (`GUARD:`); with the second one, the text is a script. */
const MAX_SPEAKER_LETTERS = 30;
/** A paragraph of so many lines, of no more than this many words on average, most of them without a full stop, is verse. */
const MIN_VERSE_LINES = 4;
const MAX_VERSE_WORDS_PER_LINE = 9;

export type BlockKind = 'prose' | 'list' | 'table' | 'code' | 'quote';

export interface LayoutSink {
  /** A new paragraph, list item, table row, quoted block or fenced block begins. */
  block(kind: BlockKind): void;
  /** A word of the answer's own voice, and where it begins. */
  word(word: string, at: number): void;
  /** A word within quotation marks. */
  quotedWord(): void;
  sentenceEnd(): void;
  /** What the current block said was somebody else's voice after all (verse, a story that opens with speech). */
  quotedBlock(): void;
  /** A horizontal line: what a draft was is over. */
  rule(): void;
}

/** Reads an answer's Markdown one character at a time into blocks, sentences and words. Holds one line's beginning and one word. */
export class Layout {
  readonly #sink: LayoutSink;
  readonly #quotes = new Quotes();
  #prefix: { character: string; raw: string; at: number }[] | null = [];
  #indent = 0;
  #block: BlockKind | null = null;
  #fence: '' | 'plain' | 'code' = '';
  #blankLine = true;
  #anyText = false;
  #word = '';
  #wordAt = 0;
  #previous = '\n';
  #apostrophe = false;
  #fullStop = false;
  #sentenceWords = 0;
  #blockWords = 0;
  #blockLines = 0;
  #stoppedLines = 0;
  /** The answer opens with a quotation mark: it may all be quoted, or a story that opens with speech. */
  #openingQuote: 'none' | 'open' | 'closed' = 'none';
  #upper = 0;
  #lower = 0;
  #speakers = 0;

  constructor(sink: LayoutSink) {
    this.#sink = sink;
  }

  /** A code point, or a run of lower-case letters of ASCII. */
  character(raw: string, at: number): void {
    if (isLowerAscii(raw)) {
      this.#letters(raw, at);
      return;
    }
    const normal = normalizeCodePoint(raw);
    // Nearly always one, and iterators cost more than what is done with it.
    if (normal.length === 1) this.#character(normal, raw, at);
    else for (const character of normal) this.#character(character, raw, at);
  }

  #letters(run: string, at: number): void {
    const first = run.charAt(0);
    if (this.#prefix !== null) {
      this.#lineStart(this.#prefix, first, first, at);
      if (run.length > 1) this.#letters(run.slice(1), at + 1);
      return;
    }
    this.#inline(first, first, at);
    if (run.length === 1 || this.#fence === 'code' || this.#block === null) return;
    this.#lower += run.length - 1;
    this.#word += run.slice(1, 1 + MAX_WORD_CHARACTERS - this.#word.length);
    this.#previous = run.charAt(run.length - 1);
  }

  #character(character: string, raw: string, at: number): void {
    if (character === '\n') this.#newline();
    else if (this.#prefix === null) this.#inline(character, raw, at);
    else this.#lineStart(this.#prefix, character, raw, at);
  }

  end(): void {
    this.#newline();
    this.#endBlock();
  }

  #lineStart(
    prefix: { character: string; raw: string; at: number }[],
    character: string,
    raw: string,
    at: number,
  ): void {
    if (character === ' ' && prefix.length === 0) this.#indent++;
    else if (prefix.push({ character, raw, at }) >= MAX_LINE_PREFIX) this.#openLine(prefix);
  }

  #newline(): void {
    if (this.#prefix !== null && this.#prefix.length > 0) this.#openLine(this.#prefix);
    const blank = this.#prefix !== null;
    if (blank) {
      if (this.#fence !== 'code') this.#endBlock();
      this.#blankLine = true;
    } else {
      this.#breakWord(' ');
      this.#noteSpeaker();
      this.#blockLines++;
      if (/[.!?]/.test(this.#previous)) this.#stoppedLines++;
    }
    this.#prefix = [];
    this.#indent = 0;
    this.#previous = '\n';
    this.#upper = 0;
    this.#lower = 0;
  }

  /** The line's kind is known: begin the block that it belongs to, then read what was held. */
  #openLine(prefix: { character: string; raw: string; at: number }[]): void {
    this.#prefix = null;
    const text = prefix.map((held) => held.character).join('');
    const { kind, marker } = lineKind(text);
    if (kind === 'fence') this.#toggleFence(text);
    else if (this.#fence === 'code') return;
    else if (kind === 'rule') {
      this.#endBlock();
      this.#sink.rule();
    } else {
      this.#beginLine(kind);
      for (const held of prefix.slice(marker)) this.#inline(held.character, held.raw, held.at);
    }
    this.#blankLine = false;
  }

  #toggleFence(text: string): void {
    this.#endBlock();
    if (this.#fence !== '') this.#fence = '';
    else if (!this.#anyText && isPlainFence(text)) this.#fence = 'plain';
    else {
      this.#fence = 'code';
      this.#begin('code');
    }
  }

  #beginLine(kind: LineKind): void {
    if (kind === 'list') this.#begin('list');
    else if (kind === 'table') this.#begin('table');
    else if (kind === 'heading') {
      this.#begin('prose');
    } else if (kind === 'quote') {
      if (this.#block !== 'quote') this.#begin('quote');
    } else if (this.#block === null && this.#blankLine && this.#indent >= 2 && this.#lastBlock === 'list')
      this.#begin('list');
    else if (this.#block === null || this.#block === 'table' || this.#headingOpen) this.#begin('prose');
    this.#headingOpen = kind === 'heading';
  }

  #lastBlock: BlockKind | null = null;
  #headingOpen = false;

  #begin(kind: BlockKind): void {
    this.#endBlock();
    this.#block = kind;
    this.#sink.block(kind);
  }

  #endBlock(): void {
    this.#endSentence();
    if (this.#isVerse()) this.#sink.quotedBlock();
    if (this.#block !== null) this.#lastBlock = this.#block;
    this.#block = null;
    this.#quotes.reset();
    this.#openingQuote = 'none';
    this.#blockWords = 0;
    this.#blockLines = 0;
    this.#stoppedLines = 0;
  }

  #isVerse(): boolean {
    const lines = this.#blockLines;
    const short = this.#blockWords <= lines * MAX_VERSE_WORDS_PER_LINE;
    return this.#block === 'prose' && lines >= MIN_VERSE_LINES && short && this.#stoppedLines <= lines / 2;
  }

  #inline(character: string, raw: string, at: number): void {
    if (this.#fence === 'code' || this.#block === null) return;
    if (isWordCharacter(character)) this.#wordCharacter(character, raw, at);
    else if (character === "'") this.#apostropheCharacter();
    else this.#breakWord(character);
    this.#previous = character;
  }

  #wordCharacter(character: string, raw: string, at: number): void {
    if (isLowerAscii(raw)) this.#lower++;
    else if (raw !== raw.toLowerCase()) this.#upper++;
    else if (raw !== raw.toUpperCase()) this.#lower++;
    if (this.#apostrophe) {
      this.#apostrophe = false;
      if (this.#word !== '') this.#word += "'";
      else if (/[\s(\-*_]/.test(this.#beforeApostrophe) && !/\d/.test(character)) this.#quotes.openSingle();
    }
    if (this.#fullStop && this.#word === '') this.#fullStop = false;
    if (isUnspaced(character)) {
      this.#finishWord();
      this.#word = character;
      this.#wordAt = at;
      this.#finishWord();
      return;
    }
    if (this.#word === '') this.#wordAt = at;
    if (this.#word.length < MAX_WORD_CHARACTERS) this.#word += character;
  }

  #beforeApostrophe = '\n';

  /** Whether it stands within a word, opens or closes a quotation shows with the next character. */
  #apostropheCharacter(): void {
    if (this.#apostrophe) this.#breakWord("'");
    this.#apostrophe = true;
    this.#beforeApostrophe = this.#previous;
  }

  #breakWord(character: string): void {
    const wordBefore = this.#word !== '';
    this.#finishWord();
    if (this.#apostrophe) {
      this.#apostrophe = false;
      if (wordBefore || !/\s/.test(this.#beforeApostrophe)) this.#quotes.closeSingle();
    }
    if (this.#fullStop && character !== '.') {
      this.#fullStop = false;
      this.#endSentence();
    }
    if (character === '"') this.#quotationMark();
    else if (character === '`') this.#quotes.toggleCode();
    else if (character === '.') this.#fullStop = true;
    else if (character === '!' || character === '?' || character === '。') this.#endSentence();
    else if (character === ':') this.#noteSpeaker();
  }

  #quotationMark(): void {
    if (!this.#anyText) {
      this.#openingQuote = 'open';
      this.#anyText = true;
    } else if (this.#openingQuote === 'open') this.#openingQuote = 'closed';
    else this.#quotes.toggleDouble();
  }

  #finishWord(): void {
    if (this.#word === '') return;
    const word = this.#word;
    this.#word = '';
    this.#anyText = true;
    this.#blockWords++;
    if (this.#openingQuote === 'closed') {
      this.#openingQuote = 'none';
      this.#sink.quotedBlock();
    }
    if (this.#quotes.open || this.#block === 'quote') {
      this.#quotes.word();
      this.#sink.quotedWord();
      return;
    }
    this.#sink.word(word, this.#wordAt);
    if (++this.#sentenceWords >= MAX_SENTENCE_WORDS) this.#endSentence();
  }

  #endSentence(): void {
    this.#finishWord();
    this.#fullStop = false;
    this.#apostrophe = false;
    if (this.#sentenceWords === 0) return;
    this.#sentenceWords = 0;
    this.#sink.sentenceEnd();
  }

  #noteSpeaker(): void {
    const speaks = this.#lower === 0 && this.#upper >= 2 && this.#upper <= MAX_SPEAKER_LETTERS;
    this.#upper = 0;
    this.#lower = 1;
    if (!speaks || this.#block !== 'prose' || ++this.#speakers < 2) return;
    this.#endSentence();
    this.#block = 'quote';
    this.#sink.block('quote');
  }
}
