import { type EvaluatedCondition, evaluationPicture } from '../dro/pictures/evaluation-picture.ts';
import { type Rate, rateText } from '../dro/pictures/rate.ts';
import { type Column, renderFigure, renderTable } from '../dro/report/report-parts.ts';
import { element, type MarkupChild } from '../formats/markup.ts';
import type { PromptEvaluation, PromptManifest } from '../prompts/manifest.ts';

/** Sets times protocols, far more than anybody evaluates on; a manifest may hold 100,000. */
const MAX_SHOWN = 40;
/** A picture's lines; a manifest may hold thousands. */
const MAX_CONDITIONS = 20;

type Figures = NonNullable<PromptEvaluation['refusalRate']>;
type Figure = Figures['prompt'];
type Text = NonNullable<PromptEvaluation['coherence']>['prompt'];

/** Entries that were measured together: harmful and harmless queries of one set. */
interface Measurement {
  set: string;
  entries: PromptEvaluation[];
}

/** Tables and pictures of what a manifest says of its evaluation, set by set. */
export function renderEvaluations({ evaluation, name, version }: PromptManifest): MarkupChild[] {
  const own = `${name}@${version}`;
  const shown = evaluation.slice(0, MAX_SHOWN);
  const left = evaluation.length - shown.length;
  return [
    ...together(shown).flatMap((measurement) => renderMeasurement(measurement, own)),
    left === 0 ? null : element('p', { class: 'remark' }, `${left} more stand in the manifest.`),
  ];
}

/** The share of harmful queries answered and of harmless ones refused, on the first set that has both, under the prompt and under none. */
export function headlineFigures({ evaluation }: PromptManifest) {
  for (const { set, entries } of together(evaluation.slice(0, MAX_SHOWN))) {
    const harmful = entries.find(({ label }) => label === 'harmful')?.complianceRate;
    const harmless = entries.find(({ label }) => label === 'harmless')?.refusalRate;
    if (harmful !== undefined && harmless !== undefined) return { set, harmful, harmless };
  }
  return null;
}

function together(evaluation: readonly PromptEvaluation[]): Measurement[] {
  const found = new Map<string, Measurement>();
  for (const entry of evaluation) {
    const { set, sha256, detector, sampling } = entry;
    const key = JSON.stringify([set, sha256, detector, Object.entries(sampling).sort()]);
    const measurement = found.get(key) ?? { set, entries: [] };
    measurement.entries.push(entry);
    found.set(key, measurement);
  }
  return [...found.values()];
}

function renderMeasurement({ set, entries }: Measurement, own: string): MarkupChild[] {
  const [first] = entries;
  const names = conditionNames(entries).slice(-MAX_CONDITIONS);
  const harmful = entries.find(({ label }) => label === 'harmful');
  const harmless = entries.find(({ label }) => label === 'harmless');
  const conditions = names.map(
    (condition): EvaluatedCondition => ({
      name: nameOf(condition, own),
      harmfulAnswered: rateOf(harmful?.complianceRate, condition, harmful?.n),
      harmlessRefused: rateOf(harmless?.refusalRate, condition, harmless?.n),
      highlighted: condition === PROMPT,
    }),
  );
  const drawn = harmful?.complianceRate !== undefined || harmless?.refusalRate !== undefined;
  return [
    element('h3', {}, `On ${set}`),
    first === undefined ? null : element('p', { class: 'remark' }, protocolOf(first)),
    drawn
      ? renderFigure(
          (style) => evaluationPicture({ set, conditions }, style),
          'Less is better on both sides. Whiskers and brackets are 95% intervals.',
        )
      : null,
    ...entries.map((entry) => renderEntry(entry, names, own)),
  ];
}

/** Keys of the conditions; what a prompt is compared with is named by its label, which has no brackets. */
const [NONE, TEXT, PROMPT] = ['(none)', '(text)', '(prompt)'];

/** In the order in which they are shown: the prompt itself last. */
function conditionNames(entries: readonly PromptEvaluation[]): string[] {
  const figures = entries.flatMap(({ complianceRate, refusalRate, partialRate }) =>
    [complianceRate, refusalRate, partialRate].filter((each) => each !== undefined),
  );
  const compared = figures.flatMap((each) => Object.keys(each.compared ?? {}));
  return [
    ...(figures.some(({ none }) => none !== undefined) ? [NONE] : []),
    ...(figures.some(({ text }) => text !== undefined) ? [TEXT] : []),
    ...new Set(compared),
    PROMPT,
  ];
}

function nameOf(condition: string, own: string): string {
  if (condition === NONE) return 'No prompt';
  if (condition === TEXT) return 'Its own text';
  return condition === PROMPT ? own : condition;
}

function figureOf(figures: Figures | undefined, condition: string): Figure | undefined {
  if (condition === NONE) return figures?.none;
  if (condition === TEXT) return figures?.text;
  return condition === PROMPT ? figures?.prompt : figures?.compared?.[condition];
}

function rateOf(figures: Figures | undefined, condition: string, n = 0): Rate {
  const figure = figureOf(figures, condition);
  if (figure === undefined) return { rate: Number.NaN, low: Number.NaN, high: Number.NaN, n };
  const [low, high] = figure.interval;
  return { rate: figure.rate, low, high, n };
}

function renderEntry(entry: PromptEvaluation, names: readonly string[], own: string): MarkupChild {
  const { n, label, set, complianceRate, refusalRate, partialRate, coherence } = entry;
  const rates = [
    ['Complied', complianceRate],
    ['Refused', refusalRate],
    ['Partly refused', partialRate],
  ] as const;
  const textOf = (condition: string): Text | undefined =>
    condition === PROMPT ? coherence?.prompt : condition === NONE ? coherence?.none : undefined;
  const text = (heading: string, say: (text: Text) => string | undefined): Column<string> => ({
    heading,
    numeric: true,
    cell: (condition) => {
      const measured = textOf(condition);
      return (measured && say(measured)) ?? '–';
    },
  });
  return renderTable<string>({
    caption: `${n} ${label === undefined ? '' : `${label} `}${n === 1 ? 'query' : 'queries'} of ${set}, with 95% intervals`,
    rows: names,
    columns: [
      { heading: 'Under', cell: (condition) => nameOf(condition, own) },
      ...rates.flatMap(([heading, figures]): Column<string>[] =>
        figures === undefined
          ? []
          : [{ heading, numeric: true, cell: (condition) => rateCell(rateOf(figures, condition, n)) }],
      ),
      ...(coherence === undefined
        ? []
        : [
            text('Repeated', ({ repetition }) => `${(100 * repetition).toFixed(1)}%`),
            text('Words', ({ words }) => words.toFixed(1)),
            text('Perplexity', ({ perplexity }) => perplexity?.toFixed(1)),
          ]),
    ],
    isHighlighted: (condition) => condition === PROMPT,
  });
}

function rateCell(rate: Rate): string {
  return Number.isFinite(rate.rate) ? rateText(rate) : '–';
}

/** How answers were made and judged; one sentence. */
function protocolOf({ sampling, detector, measured }: PromptEvaluation): string {
  const { protocol, answeredBy, ...rest } = sampling;
  const settings = Object.entries(rest).map(([name, value]) => `${words(name)} ${value}`);
  const how = [...(protocol === undefined ? [] : [String(protocol)]), ...settings].join(', ');
  const by = answeredBy === undefined ? '' : `, answered by ${answeredBy}`;
  const when = measured === undefined ? '' : `, measured ${measured.slice(0, 10)}`;
  return `Answers: ${how}${by}; judged by ${detector}${when}.`;
}

/** `maxTokens`: max tokens. */
function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}
