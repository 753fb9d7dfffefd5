import type { CollectedAnchors } from '../../dro/anchors/collect-anchors.ts';
import type { QueryCount } from '../../dro/anchors/count-refusals.ts';
import { type QueryLabel, queryLabels } from '../../dro/queries/query.ts';
import { table } from '../output.ts';

export interface LabelSummary {
  readonly queries: number;
  readonly answers: number;
  readonly refused: number;
  readonly partial: number;
  readonly empty: number;
  /** Null where there are no answers. */
  readonly refusalFraction: number | null;
}

export interface SetSummary extends Readonly<Record<QueryLabel, LabelSummary>> {
  readonly prompt: string;
  readonly digest: string;
  readonly tokens: number;
}

/** Each set's counts, harmful and harmless queries apart. */
export function summarizeAnchors({ queries, sets, counts }: CollectedAnchors): SetSummary[] {
  return sets.map(({ prompt }, index) => {
    const own = counts[index] ?? [];
    const of = (label: QueryLabel) => addUp(own.filter(({ query }) => queries[query]?.label === label));
    return {
      prompt: prompt.label,
      digest: prompt.digest,
      tokens: sum(own, 'tokens'),
      harmful: of('harmful'),
      harmless: of('harmless'),
    };
  });
}

/** One line a prompt: which part of the answers refused, and of how many. */
export function summaryTable(summaries: readonly SetSummary[]): string {
  return table(
    ['PROMPT', 'HARMFUL REFUSED', 'HARMLESS REFUSED', 'TOKENS AN ANSWER'],
    summaries.map((summary) => {
      const answers = queryLabels.reduce((total, label) => total + summary[label].answers, 0);
      return [
        summary.prompt,
        shareOf(summary.harmful),
        shareOf(summary.harmless),
        answers === 0 ? '-' : (summary.tokens / answers).toFixed(1),
      ];
    }),
  );
}

function addUp(counts: readonly QueryCount[]): LabelSummary {
  const answers = sum(counts, 'answers');
  const refused = sum(counts, 'refused');
  return {
    queries: counts.length,
    answers,
    refused,
    partial: sum(counts, 'partial'),
    empty: sum(counts, 'empty'),
    refusalFraction: answers === 0 ? null : refused / answers,
  };
}

function sum(counts: readonly QueryCount[], field: Exclude<keyof QueryCount, 'query'>): number {
  return counts.reduce((total, count) => total + count[field], 0);
}

function shareOf({ answers, refusalFraction }: LabelSummary): string {
  return refusalFraction === null ? '-' : `${(100 * refusalFraction).toFixed(1)}% of ${answers}`;
}
