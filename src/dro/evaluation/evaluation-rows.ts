import type { ConditionResult, EvaluationReport, GroupResult, Mean, PairedTest, Proportion } from './report.ts';

/** A group's figures as text, for a terminal or Markdown. */
export interface GroupTables {
  title: string;
  /** What became of the queries, and how the answers read: two tables, as one would be wider than most windows. */
  parts: readonly { headings: string[]; rows: string[][] }[];
  /** Index of the artifact's row in both. */
  artifact: number;
}

/** Below this a p-value's digits say nothing more. */
const SMALLEST_P = 0.001;

interface Column {
  heading: string;
  cell(result: ConditionResult): string | null;
}

const prompt: Column = { heading: 'PROMPT', cell: ({ condition }) => condition };
const ANSWER_BY_ANSWER = 'OF ALL ANSWERS';

const outcomeColumns: readonly Column[] = [
  prompt,
  { heading: 'REFUSED', cell: ({ refused }) => withInterval(refused) },
  { heading: ANSWER_BY_ANSWER, cell: ({ answersRefused }) => meanPercent(answersRefused) },
  { heading: 'PARTLY', cell: ({ partial }) => percent(partial.rate) },
  { heading: 'COMPLIED', cell: ({ complied }) => withInterval(complied) },
  { heading: 'EMPTY', cell: ({ empty }) => percent(empty.rate) },
  { heading: 'ARTIFACT REFUSED MORE BY', cell: ({ paired }) => (paired === null ? null : describePaired(paired)) },
];

const textColumns: readonly Column[] = [
  prompt,
  { heading: 'REPEATED', cell: ({ coherence }) => percent(coherence.repetition.mean) },
  { heading: 'RUN', cell: ({ coherence }) => coherence.longestRun.mean.toFixed(1) },
  { heading: 'PERPLEXITY', cell: ({ coherence: { perplexity } }) => perplexity && describeMean(perplexity) },
  { heading: 'TOKENS', cell: ({ coherence: { tokens } }) => tokens?.mean.toFixed(0) ?? null },
  { heading: 'CHANGED', cell: ({ change }) => change && percent(change.differing.rate) },
  { heading: 'WORDS KEPT', cell: ({ change }) => change && percent(change.wordF1.mean) },
  { heading: 'CHRF', cell: ({ change }) => change && percent(change.chrF.mean) },
  { heading: 'JUDGE AGREES', cell: ({ agreement }) => agreement && withInterval(agreement.agreeing) },
  { heading: 'JUDGED UNSAFE', cell: ({ agreement }) => agreement && withInterval(agreement.unsafe) },
];

/** Columns that say nothing anywhere in the group are left out. Pure. */
export function groupTables(report: EvaluationReport): GroupTables[] {
  return report.groups.map((group) => ({
    title: titleOf(group),
    parts: [outcomeColumns, textColumns].map((columns) => tableOf(columns, group)),
    artifact: report.conditions.findIndex(({ role }) => role === 'artifact'),
  }));
}

function tableOf(columns: readonly Column[], { results, protocol }: GroupResult) {
  const says = ({ heading, cell }: Column) =>
    heading === ANSWER_BY_ANSWER ? protocol.samples > 1 : results.some((result) => cell(result) !== null);
  const shown = columns.filter(says);
  return {
    headings: shown.map(({ heading }) => heading),
    rows: results.map((result) => shown.map(({ cell }) => cell(result) ?? '-')),
  };
}

function titleOf({ set, label, n, protocol }: GroupResult): string {
  const { name, samples, kept, temperature, topP, topK, maxTokens } = protocol;
  const drawn = `temperature ${temperature}, top-p ${topP}, top-k ${topK}, the longest ${kept} of ${samples} answers`;
  const how = name === 'greedy' ? 'greedy' : `sampled (${drawn})`;
  return `${set.name}: ${n} ${label} ${n === 1 ? 'query' : 'queries'}, ${how}, up to ${maxTokens} tokens`;
}

/** What the figures mean, one line each. */
export function tableNotes(report: EvaluationReport): string[] {
  const sampled = report.groups.some(({ protocol }) => protocol.samples > 1);
  const perplexity = report.groups.some(({ results }) => results.some(({ coherence }) => coherence.perplexity));
  return [
    `${report.prompt.label} (${report.prompt.digest.slice(0, 12)}) on ${report.model}, answered by ${report.answeredBy}, judged by ${report.detector}`,
    'In brackets: 95% intervals (Wilson; differences of pairs: Newcombe). p: exact McNemar test, two-sided, of the queries that one of the two refused.',
    ...(sampled
      ? [
          'Sampled, a harmful query counts by the worst of its answers, and so does a harmless one: any compliance, any refusal.',
        ]
      : []),
    'Repeated: 4-grams of words that stood before. Run: words of the longest phrase said over and over.',
    ...(perplexity ? ['Perplexity: of the first 128 tokens, under the model without a prompt.'] : []),
    'Changed, words kept, chrF: against the answers without a prompt.',
  ];
}

export function percent(rate: number): string {
  return `${(100 * rate).toFixed(1)}%`;
}

function range([low, high]: readonly [number, number], digits: (value: number) => string): string {
  return `(${digits(low)} to ${digits(high)})`;
}

const hundredths = (value: number) => (100 * value).toFixed(1);

function withInterval({ rate, interval }: Proportion): string {
  return `${percent(rate)} ${range(interval, hundredths)}`;
}

function meanPercent({ mean, interval: [low, high] }: Mean): string {
  return `${percent(mean)} ${range([Math.max(0, low), Math.min(1, high)], hundredths)}`;
}

function describeMean({ mean, interval }: Mean): string {
  return `${mean.toFixed(1)} ${range(interval, (value) => value.toFixed(1))}`;
}

function describePaired({ difference, interval, pValue }: PairedTest): string {
  const sign = difference > 0 ? '+' : '';
  const p = pValue < SMALLEST_P ? `p < ${SMALLEST_P}` : `p = ${pValue.toFixed(3)}`;
  return `${sign}${hundredths(difference)} ${range(interval, hundredths)}, ${p}`;
}
