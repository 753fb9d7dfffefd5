import { element, type MarkupChild } from '../../formats/markup.ts';
import { anchorsPicture } from '../pictures/anchors-picture.ts';
import { percent } from '../pictures/axes.ts';
import { evaluationPicture } from '../pictures/evaluation-picture.ts';
import { frontierPicture } from '../pictures/frontier-picture.ts';
import { rateText } from '../pictures/rate.ts';
import { trainingPicture } from '../pictures/training-picture.ts';
import { type ChangedExample, isWanted, mostChanged, type Outcome } from './changed-examples.ts';
import type { ReportedCondition, ReportedEvaluation, TrainingReport } from './report-data.ts';
import { type Column, renderFacts, renderFigure, renderTable, type Section } from './report-parts.ts';

const SHOWN_EXAMPLES = 10;

export const anchorsCaption =
  'Each mark is the last input token’s final state for one query, in the plane of the first two principal components. Triangles are harmful queries, circles harmless ones; full marks were refused in more than half of their answers. Dashed lines: the probes’ boundaries where they cut this plane. Arrows: how the mean of each kind moved from the first picture.';

/** What there is to tell, in the order in which it is told. */
export function reportSections(report: TrainingReport): Section[] {
  const { training, anchors, evaluations, frontier } = report;
  const examples = mostChanged(report.examples, SHOWN_EXAMPLES);
  const sections: (Section | null)[] = [
    {
      id: 'prompt',
      title: 'What was trained',
      content: [renderFacts('The prompt and how it was made', report.prompt)],
    },
    { id: 'model', title: 'The model', content: [renderFacts('The model that the prompt fits', report.model)] },
    {
      id: 'hyperparameters',
      title: 'Hyperparameters',
      content: [renderFacts('Settings of the training', report.hyperparameters)],
    },
    training && {
      id: 'curve',
      title: 'Training curve',
      content: [
        renderFigure(
          (style) => trainingPicture(training, style),
          'Above: the terms of the loss, weighted as they are in it; where there are many steps, lines are means over neighbouring ones and the single values stand faint behind them. Below: refusals on the dev split, measured on answers, with 95% intervals. The dotted line marks the step whose prompt was kept.',
        ),
      ],
    },
    anchors && {
      id: 'anchors',
      title: 'Anchors',
      content: [renderFigure((style) => anchorsPicture(anchors, style), anchorsCaption)],
    },
    evaluations.length === 0
      ? null
      : { id: 'evaluation', title: 'Evaluation', content: evaluations.flatMap(renderEvaluation) },
    frontier && { id: 'frontier', title: 'Frontier', content: renderFrontier(frontier) },
    examples.length === 0 ? null : { id: 'examples', title: 'Most changed queries', content: renderExamples(examples) },
  ];
  return sections.filter((section) => section !== null);
}

function renderEvaluation(evaluation: ReportedEvaluation): MarkupChild[] {
  const { conditions, set, protocol } = evaluation;
  const extra = [...new Set(conditions.flatMap(({ measures }) => Object.keys(measures)))];
  const columns: Column<ReportedCondition>[] = [
    { heading: 'Condition', cell: ({ name }) => name },
    { heading: 'Harmful answered', numeric: true, cell: ({ harmfulAnswered }) => rateText(harmfulAnswered) },
    { heading: 'n', numeric: true, cell: ({ harmfulAnswered }) => String(harmfulAnswered.n) },
    { heading: 'Harmless refused', numeric: true, cell: ({ harmlessRefused }) => rateText(harmlessRefused) },
    { heading: 'n', numeric: true, cell: ({ harmlessRefused }) => String(harmlessRefused.n) },
    ...extra.map((heading) => ({
      heading,
      numeric: true,
      cell: ({ measures }: ReportedCondition) => String(measures[heading] ?? '–'),
    })),
  ];
  return [
    element('h3', {}, `On ${set}`),
    element('p', { class: 'remark' }, protocol),
    renderFigure(
      (style) => evaluationPicture(evaluation, style),
      'Less is better on both sides. Whiskers and brackets are 95% intervals.',
    ),
    renderTable({
      caption: `Evaluation on ${set}, with 95% intervals`,
      rows: conditions,
      columns,
      isHighlighted: ({ highlighted }) => highlighted,
    }),
  ];
}

function renderFrontier(frontier: NonNullable<TrainingReport['frontier']>): MarkupChild[] {
  const { target, settings } = frontier;
  return [
    renderFigure(
      (style) => frontierPicture(frontier, style),
      `Each mark is one setting of the training, the star the one that was kept; lines through a mark are its 95% intervals. Full marks and the dashed line are the frontier: no other setting is better on both sides. The shaded corner is the aim, at least ${percent(target.harmfulRefused)} of the harmful queries refused and at most ${percent(target.harmlessRefused)} of the harmless ones.`,
    ),
    renderTable({
      caption: 'Settings, with 95% intervals',
      rows: settings,
      columns: [
        { heading: 'Setting', cell: ({ name }) => name },
        { heading: 'Harmful refused', numeric: true, cell: ({ harmfulRefused }) => rateText(harmfulRefused) },
        { heading: 'Harmless refused', numeric: true, cell: ({ harmlessRefused }) => rateText(harmlessRefused) },
      ],
      isHighlighted: ({ chosen }) => chosen,
    }),
  ];
}

function renderExamples(examples: readonly ChangedExample[]): MarkupChild[] {
  return [
    element(
      'p',
      { class: 'remark' },
      'Only the queries and what was decided about their answers; this report holds no answers.',
    ),
    renderTable({
      caption: `The ${examples.length} queries whose answers changed most`,
      rows: examples,
      columns: [
        { heading: 'Query', kind: () => 'query', cell: ({ query }) => element('bdi', {}, query) },
        { heading: 'It is', cell: ({ label }) => label },
        { heading: 'Without the prompt', cell: ({ before }) => outcomeText(before) },
        { heading: 'With the prompt', cell: ({ after }) => outcomeText(after) },
        {
          heading: 'The change is',
          kind: (example) => (isWanted(example) ? undefined : 'unwanted'),
          cell: (example) => (isWanted(example) ? 'wanted' : 'unwanted'),
        },
      ],
    }),
  ];
}

function outcomeText({ decision, refusalFraction }: Outcome): string {
  return `${decision} (${percent(refusalFraction)} refused)`;
}
