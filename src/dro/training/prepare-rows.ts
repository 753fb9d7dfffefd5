import type { PromptPosition, SoftPrompt } from '../../prompts/soft-prompt.ts';
import type { AnchorModel } from '../anchors/collect-anchors.ts';
import { layOutQueries } from '../anchors/query-layout.ts';
import { encodeQuery } from '../answers/encode-query.ts';
import { softPrompt } from '../answers/prompt-under-test.ts';
import type { Query } from '../queries/query.ts';
import type { OwnAnswer } from './own-answer.ts';
import { REFUSAL } from './refusals.ts';
import type { PrefixLayout } from './training-graph.ts';
import type { TrainingRow } from './training-row.ts';

/**
 * All rows are as long as the longest (`chooseBuckets`), so an answer is cut where its row would be longer than the longest query with so
 * many tokens of an answer. Shorter queries leave room for the whole refusal, its end included, which is enough to learn it.
 */
export const SHORTEST_ANSWER = 3;

export interface TrainingData {
  readonly layout: PrefixLayout;
  readonly rows: readonly TrainingRow[];
  /** Harmless queries that were left out, because the unprompted model declines them already. */
  readonly leftOut: readonly Query[];
}

export interface RowOptions {
  model: AnchorModel;
  queries: readonly Query[];
  start: SoftPrompt;
  position: PromptPosition;
  /** By the query's place; null where no answers are trained on. */
  ownAnswers: ReadonlyMap<number, OwnAnswer> | null;
  /** `[queries, hiddenSize]`: states under the textual prompt; null where DRO's terms are not used. */
  reference: Float32Array | null;
  endToken: number;
}

/** Queries with what they are trained toward. Throws what encoding throws. */
export function prepareRows(options: RowOptions): TrainingData {
  const { model, queries, start, position, ownAnswers, reference } = options;
  const under = softPrompt(start, position);
  const { before, after, rows } = layOutQueries(queries.map(({ text }) => encodeQuery(model, text, under)));
  const { hiddenSize } = start;
  const longest = Math.max(0, ...rows.map(({ length }) => length)) + SHORTEST_ANSWER;
  const judgesAnswers = ownAnswers !== null;
  const refusal = judgesAnswers ? refusalTokens(model, options.endToken) : [];
  const leftOut: Query[] = [];

  const made = queries.flatMap((query, index): TrainingRow[] => {
    const row = rows[index];
    if (row === undefined) return [];
    const harmful = query.label === 'harmful';
    const own = ownAnswers?.get(index);
    if (judgesAnswers && !harmful && (own === undefined || own.refused || own.tokens.length === 0)) {
      leftOut.push(query);
      return [];
    }
    return [
      {
        harmful,
        query: row,
        answer: (harmful ? refusal : (own?.tokens ?? [])).slice(0, longest - row.length),
        targets: harmful ? null : (own?.distributions.slice(0, longest - row.length) ?? null),
        reference: reference?.subarray(index * hiddenSize, (index + 1) * hiddenSize) ?? null,
      },
    ];
  });
  return { layout: { before, after }, rows: made, leftOut };
}

/** To its end: a prompt that was trained on the first words alone refused over and over (docs/training.md). */
export function refusalTokens({ tokenizer }: AnchorModel, endToken: number): number[] {
  return [...tokenizer.encodeSection(REFUSAL, false, Number.POSITIVE_INFINITY), endToken];
}
