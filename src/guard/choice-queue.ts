import { type AnswerShape, withChoices } from '../openai/answer-shape.ts';
import type { ChoiceJudge } from './choice-judge.ts';

export interface ChoicePart {
  readonly index: number;
  readonly finish_reason?: string | null;
}

export interface ChoiceQueueOptions {
  readonly judge: ChoiceJudge;
  readonly shape: AnswerShape;
  readonly holdsBack: boolean;
  onCut(choice: number): void;
}

/** One choice of a stream on its way past the guard: its parts, until they may go on or are replaced. */
export interface ChoiceQueue {
  readonly judge: ChoiceJudge;
  /** `part` holds the choice and no other. */
  push(piece: ChoicePart, part: object): void;
  /** What the client gets now. */
  released(): Generator<object>;
  /** Parts that wait. */
  held(): number;
  /** The model has ended it. */
  complete(): boolean;
  /** Nothing more of it goes to the client. */
  over(): boolean;
}

export function createChoiceQueue(index: number, { judge, shape, holdsBack, onCut }: ChoiceQueueOptions): ChoiceQueue {
  /** With how many characters of the choice there are once it has gone. */
  const held: { readonly part: object; readonly characters: number; readonly last: boolean }[] = [];
  let characters = 0;
  let head: object = {};
  /** The client has got a part of it; and text. */
  let opened = false;
  let spoken = false;
  let complete = false;
  let over = false;

  function cut(text: string): object {
    over = true;
    held.length = 0;
    onCut(index);
    return withChoices(head, [shape.lastPart(index, spoken ? `\n\n${text}` : text, !opened)]);
  }

  return {
    judge,
    push(piece, part) {
      // What a server sends behind the end of a choice nobody has judged.
      if (over || complete) return;
      head = withoutUsage(part);
      const text = shape.textOf(piece);
      characters += text.length;
      complete = Boolean(piece.finish_reason);
      held.push({ part, characters, last: complete });
      judge.push(text);
      if (complete) judge.end();
    },
    *released() {
      if (over) return;
      const replacement = judge.replacement();
      if (replacement !== null) {
        yield cut(replacement);
        return;
      }
      for (let first = held[0]; first !== undefined; first = held[0]) {
        const isJudged = judge.finding() !== null || (!first.last && first.characters <= judge.judged());
        if (!isJudged && (holdsBack || first.last)) return;
        held.shift();
        opened = true;
        spoken = first.characters > 0;
        over = first.last;
        yield first.part;
      }
    },
    held: () => held.length,
    complete: () => complete,
    over: () => over,
  };
}

/** Token counts are told once, at the end; where they are asked for, the other parts say null. */
function withoutUsage(part: object): object {
  return 'usage' in part ? { ...part, usage: null } : part;
}
