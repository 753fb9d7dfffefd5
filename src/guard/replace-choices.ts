import { PreambleError } from '../errors.ts';
import { type AnswerShape, withChoices } from '../openai/answer-shape.ts';
import type { Guarding } from './guarding.ts';

/** A whole answer with the choices that the guard rejects replaced, once all are judged; null where none is. */
export async function replaceChoices(
  answer: { readonly choices: readonly { readonly index: number }[] },
  guarding: Guarding,
  shape: AnswerShape,
  onCut: (choice: number) => void,
): Promise<object | null> {
  const { choices } = answer;
  if (new Set(choices.map(({ index }) => index)).size < choices.length) {
    throw new PreambleError('upstream_invalid', 'The model server gave two choices the same number.');
  }
  const judged = choices.map((choice) => ({ choice, judge: guarding.judgeOf(choice.index) }));
  await Promise.all(
    judged.map(async ({ choice, judge }) => {
      judge.push(shape.textOf(choice));
      judge.end();
      while (judge.running() !== null) await judge.running();
    }),
  );
  guarding.signal.throwIfAborted();
  if (judged.every(({ judge }) => judge.replacement() === null)) return null;
  const left = judged.map(({ choice, judge }) => {
    const replacement = judge.replacement();
    if (replacement === null) return choice;
    onCut(choice.index);
    return shape.wholeChoice(choice.index, replacement);
  });
  return withChoices(answer, left);
}
