import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CollectedAnswer } from '../../dro/evaluation/collect.ts';
import type { Evaluated } from '../../dro/evaluation/evaluate.ts';
import { evaluationMarkdown } from '../../dro/evaluation/evaluation-markdown.ts';
import { PreambleError, toError } from '../../errors.ts';

/** Made before anything is asked: an hour's answers should not end at a directory that cannot be written. Throws `file_unwritable`. */
export async function prepareOut(directory: string): Promise<void> {
  await writing(directory, async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'evaluation.json'), '', { flag: 'a' });
  });
}

/** `evaluation.json`, `evaluation.md` and, if they are to be kept, `answers.jsonl`. Throws `file_unwritable`. */
export async function saveEvaluation(directory: string, evaluated: Evaluated, keepAnswers: boolean): Promise<void> {
  const { report, answers } = evaluated;
  await writing(directory, async () => {
    await writeFile(join(directory, 'evaluation.json'), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(join(directory, 'evaluation.md'), evaluationMarkdown(report));
    // They may hold what nobody should be given: readable by their owner alone.
    if (keepAnswers) await writeFile(join(directory, 'answers.jsonl'), answers.map(lineOf).join(''), { mode: 0o600 });
  });
}

function lineOf({ group, protocol, condition, query, sample, answer }: CollectedAnswer): string {
  const { id, text } = query;
  const where = { set: group.set.name, label: group.label, protocol: protocol.name, condition: condition.name };
  const { text: said, decision, tokens, surprise, unsafe } = answer;
  const perplexity = surprise === null ? null : Math.exp(surprise);
  return `${JSON.stringify({ ...where, id, sample, query: text, answer: said, decision, tokens, perplexity, unsafe })}\n`;
}

async function writing(directory: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new PreambleError('file_unwritable', `Cannot write to ${directory}: ${toError(error).message}.`, {
      action: 'Check the free space and the permissions of that directory, or give another with --out.',
      cause: error,
    });
  }
}
