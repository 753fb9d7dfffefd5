import { PreambleError } from '../errors.ts';
import type { AnswerShape } from '../openai/answer-shape.ts';
import { type ChoicePart, type ChoiceQueue, createChoiceQueue } from './choice-queue.ts';
import type { Guarding } from './guarding.ts';
import { readAhead } from './read-ahead.ts';

/** Parts that may wait for a verdict that is on its way; then the model server waits too. */
const MAX_WAITING_PARTS = 1024;
/** Parts that may wait for the end of an answer: a token each, as many as the longest context lengths have. */
const MAX_HELD_PARTS = 131_072;

/** A part of a stream, as far as it is read here. */
export interface StreamPart {
  readonly choices: readonly ChoicePart[];
}

export interface CutOptions {
  readonly guarding: Guarding;
  readonly shape: AnswerShape;
  /** How many the request asks for. */
  readonly choices: number;
  /** Null for what the client is not to get; without choices for what is none of them, an error in mid-stream say. */
  read(value: unknown): StreamPart | null;
  /** Nothing more of this choice goes to the client but its last part. */
  onCut(choice: number): void;
  /** Nobody will read what the model goes on to say. */
  onOver(): void;
  waiting<T>(others: Promise<T>): Promise<T>;
}

/**
 * The parts that the client gets: those of each choice until the guard replaces it, then one last part with what the policy says and the finish reason
 * `content_filter`. A choice's own last part always waits for the verdict on the whole of it.
 */
export async function* cutParts(source: AsyncIterable<unknown>, options: CutOptions): AsyncGenerator<object> {
  const { guarding, read, waiting, onOver } = options;
  const parts = readAhead(source);
  const queues = createQueues(options);
  let ended = false;
  try {
    while (true) {
      yield* queues.released();
      if (queues.cutShort()) return;
      const verdicts = queues.verdicts();
      if (ended && verdicts.length === 0) {
        // Given up, by the client or for its length: what is held has no verdict.
        guarding.signal.throwIfAborted();
        if (!queues.end()) return;
        continue;
      }
      const reads = !ended && (verdicts.length === 0 || queues.held() < MAX_WAITING_PARTS);
      await waiting(Promise.race(reads ? [parts.next(), ...verdicts] : verdicts));
      const next = parts.taken();
      if (next === null) continue;
      ended = next.done === true;
      if (!ended) queues.push(next.value, read(next.value));
    }
  } finally {
    if (!ended) {
      onOver();
      await parts.close();
    }
  }
}

function createQueues({ guarding, shape, choices, onCut }: CutOptions) {
  const { holdsBack } = guarding.policy;
  const queues = new Map<number, ChoiceQueue>();
  /** Parts without a choice, which come behind those that are held. */
  const others: object[] = [];
  const all = () => [...queues.values()];
  const held = () => all().reduce((sum, queue) => sum + queue.held(), 0);

  const queueOf = (index: number): ChoiceQueue => {
    let queue = queues.get(index);
    if (queue === undefined) {
      queue = createChoiceQueue(index, { judge: guarding.judgeOf(index), shape, holdsBack, onCut });
      queues.set(index, queue);
    }
    return queue;
  };

  return {
    held,
    push(value: unknown, part: StreamPart | null): void {
      if (part === null || typeof value !== 'object' || value === null) return;
      if (part.choices.length === 0) others.push(value);
      for (const piece of part.choices) {
        queueOf(piece.index).push(piece, part.choices.length === 1 ? value : { ...value, choices: [piece] });
      }
      if (held() >= MAX_HELD_PARTS) throw tooLong();
    },
    *released(): Generator<object> {
      for (const queue of all()) yield* queue.released();
      if (held() === 0) yield* others.splice(0);
    },
    verdicts: () => all().flatMap(({ judge }) => judge.running() ?? []),
    /** Servers that give no finish reason leave choices open. False: there are none. */
    end(): boolean {
      const open = all().filter(({ judge }) => !judge.over());
      for (const { judge } of open) judge.end();
      return open.length > 0;
    },
    /** The model writes on what nobody will read. */
    cutShort(): boolean {
      const left = all();
      return left.length >= choices && left.every((queue) => queue.over()) && left.some((queue) => !queue.complete());
    },
  };
}

function tooLong(): PreambleError {
  return new PreambleError('upstream_invalid', `An answer of ${MAX_HELD_PARTS} parts is too long to be held back.`);
}
