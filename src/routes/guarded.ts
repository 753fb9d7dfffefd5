import type { Answer } from '../backends/backend.ts';
import { PreambleError } from '../errors.ts';
import { cutParts } from '../guard/cut-parts.ts';
import type { Guarding } from '../guard/guarding.ts';
import { replaceChoices } from '../guard/replace-choices.ts';
import type { AnswerShape } from '../openai/answer-shape.ts';
import { relayedParts } from '../openai/relayed-parts.ts';
import { readStreamFault } from '../openai/responses/read-chat.ts';
import { type AnyAnswer, type AnyRequest, type Surface, watchOnePart } from './answering.ts';
import type { Enforcing } from './enforcing.ts';
import type { Watch } from './watch.ts';

export interface GuardedParts<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer> {
  readonly surface: Surface<Request, Whole, Part>;
  readonly watch: Watch;
  readonly enforcing: Enforcing;
  readonly wantsUsage: boolean;
}

/** The parts of a stream that the client gets of an answer that is judged; read along as the model gave them. */
export function guardedParts<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  answer: Exclude<Answer<Whole, Part>, { kind: 'whole' }>,
  { surface, watch, enforcing, wantsUsage }: GuardedParts<Request, Whole, Part>,
): AsyncGenerator<object> {
  const source: AsyncIterable<unknown> = answer.kind === 'stream' ? answer.parts : relayedParts(answer.body);
  return cutParts(source, {
    guarding: enforcing.guarding,
    shape: surface.shape,
    choices: enforcing.choices,
    read(value) {
      const part = surface.readPart(value);
      if (part !== null) return watchOnePart(part, wantsUsage, surface, watch) ? part : null;
      if (readStreamFault(value) !== null) return { choices: [] };
      throw unreadable();
    },
    onCut: watch.cut,
    onOver: enforcing.giveUp,
    waiting: watch.waiting,
  });
}

/** What the client gets in place of a whole answer; null where it gets that. What can't be read can't be judged: throws `upstream_invalid`. */
export async function guardedWhole<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  whole: Whole | null,
  { shape }: Surface<Request, Whole, Part>,
  watch: Watch,
  { guarding }: Enforcing,
): Promise<object | null> {
  if (whole === null) throw unreadable();
  return await watch.waiting(replaceChoices(whole, guarding, shape, watch.cut));
}

/** The surface of an answer that the guard only reads along with. */
export function judgedToo<Request extends AnyRequest, Whole extends AnyAnswer, Part extends AnyAnswer>(
  surface: Surface<Request, Whole, Part>,
  guarding: Guarding,
): Surface<Request, Whole, Part> {
  return {
    ...surface,
    watchWhole(body, watch) {
      surface.watchWhole(body, watch);
      judge(body, surface.shape, guarding);
    },
    watchPart(part, watch) {
      surface.watchPart(part, watch);
      judge(part, surface.shape, guarding);
    },
  };
}

function judge({ choices }: AnyAnswer, shape: AnswerShape, guarding: Guarding): void {
  for (const choice of choices) guarding.judgeOf(choice.index).push(shape.textOf(choice));
}

function unreadable(): PreambleError {
  return new PreambleError('upstream_invalid', 'The model server sent what is no answer, and cannot be judged.');
}
