/** Judged text that stands in front of what is new: a sentence means what it does by those before it. */
const CONTEXT_CHARACTERS = 2000;
/** One input of a moderation endpoint: some 4,000 tokens, which the models behind them take. */
const INPUT_CHARACTERS = 16_000;
/** What two inputs have in common, so that nothing is cut where it tells. */
const OVERLAP_CHARACTERS = 1000;
/** Asking about each "1." or "Sure!" of its own would cost a question a line. */
const FEWEST_CHARACTERS = 80;
/** Code, and whatever else has no sentences. */
const MOST_CHARACTERS = 1000;

const SENTENCE_END = /[.!?…][\p{Pf}\p{Pe}"'*_]*\s|[。！？]|\n/u;

/** What of one choice is to be judged next. */
export interface Excerpts {
  /** True: there is enough for a question. */
  push(text: string): boolean;
  /** The inputs of the next question, oldest text first; none where nothing is new. */
  take(): string[];
}

/** All of a text, each character at least once, in time and memory that are linear in it. */
export function createExcerpts(bySentence: boolean): Excerpts {
  let context = '';
  let fresh = '';
  return {
    push(text) {
      fresh += text;
      if (!bySentence || fresh.length < FEWEST_CHARACTERS) return false;
      // The last of the text before belongs to it: an end is seen by the blank behind it.
      const seen = fresh.slice(-text.length - 8);
      return SENTENCE_END.test(seen) || fresh.length >= MOST_CHARACTERS;
    },
    take() {
      if (fresh === '') return [];
      const whole = context + fresh;
      const inputs: string[] = [];
      for (let at = 0; ; at += INPUT_CHARACTERS - OVERLAP_CHARACTERS) {
        // Half of a surrogate pair is no text.
        inputs.push(whole.slice(at, at + INPUT_CHARACTERS).toWellFormed());
        if (at + INPUT_CHARACTERS >= whole.length) break;
      }
      context = whole.slice(-CONTEXT_CHARACTERS);
      fresh = '';
      return inputs;
    },
  };
}
