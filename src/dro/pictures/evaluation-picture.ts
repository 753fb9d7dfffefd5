import { scaleLinear } from 'd3-scale';
import { element, type Markup } from '../../formats/markup.ts';
import { BOTTOM_AXIS, bottomAxis, percent } from './axes.ts';
import { marker } from './markers.ts';
import { type Box, isDrawable, isNarrow, type PictureStyle, picture } from './picture.ts';
import { type Rate, rateText } from './rate.ts';
import { fitText, textAt, textWidth } from './text.ts';
import type { Theme } from './theme.ts';

export interface EvaluatedCondition {
  /** No prompt, the prompt's own text, vPT, … */
  name: string;
  harmfulAnswered: Rate;
  harmlessRefused: Rate;
  /** The prompt that the evaluation is about. */
  highlighted: boolean;
}

export interface EvaluationPictureData {
  /** The set of queries. */
  set: string;
  conditions: readonly EvaluatedCondition[];
  /** Shares that are aimed at; lines mark them. */
  targets?: { harmfulAnswered: number; harmlessRefused: number };
}

interface Measure {
  key: 'harmfulAnswered' | 'harmlessRefused';
  title: string;
  label: 'harmful' | 'harmless';
  shape: 'triangle' | 'circle';
}

const measures: readonly Measure[] = [
  { key: 'harmfulAnswered', title: 'Harmful queries answered', label: 'harmful', shape: 'triangle' },
  { key: 'harmlessRefused', title: 'Harmless queries refused', label: 'harmless', shape: 'circle' },
];

const MARGIN = 14;
const GAP = 30;
const TITLE = 34;
/** With the names beside the panels, and with each name above its line. */
const ROW_HEIGHT = { wide: 34, narrow: 48 };
const WIDEST_NAME = 220;

/** Both ways in which a prompt can be wrong, condition by condition: less is better in either, and the whiskers are 95% intervals. */
export function evaluationPicture(data: EvaluationPictureData, style: PictureStyle): Markup {
  const narrow = isNarrow(style);
  const rowHeight = narrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide;
  const names = narrow
    ? 0
    : Math.min(WIDEST_NAME, Math.max(0, ...data.conditions.map(({ name }) => textWidth(name, { weight: 600 })))) + 16;
  const columns = narrow ? 1 : 2;
  const left = MARGIN + names;
  const width = (style.width - left - MARGIN - GAP * (columns - 1)) / columns;
  const height = rowHeight * Math.max(1, data.conditions.length);
  const panels = measures.map((measure, index) => {
    const box: Box = {
      x: left + (narrow ? 0 : index * (width + GAP)),
      y: TITLE + (narrow ? index * (TITLE + height + BOTTOM_AXIS) : 0),
      width,
      height,
    };
    return drawMeasure(data, measure, { box, rowHeight, narrow, theme: style.theme });
  });
  return picture(
    style,
    {
      title: `Evaluation on ${data.set}`,
      description: describe(data),
      height: TITLE + height + BOTTOM_AXIS - 10 + (narrow ? TITLE + height + BOTTOM_AXIS : 0),
    },
    narrow
      ? null
      : element(
          'g',
          { class: 'names' },
          ...data.conditions.map((condition, row) => {
            const y = TITLE + (row + 0.5) * rowHeight;
            const weight = weightOf(condition);
            return textAt(left - 12, y, fitText(condition.name, names, { weight }), { anchor: 'end', weight });
          }),
        ),
    ...panels,
  );
}

interface Panel {
  box: Box;
  rowHeight: number;
  narrow: boolean;
  theme: Theme;
}

function drawMeasure({ conditions, targets }: EvaluationPictureData, measure: Measure, panel: Panel): Markup {
  const { box, rowHeight, narrow, theme } = panel;
  const x = scaleLinear([0, 1], [box.x, box.x + box.width]);
  const target = targets?.[measure.key];
  const rows = conditions.map((condition, row) => {
    const top = box.y + row * rowHeight;
    const stripe = condition.highlighted
      ? element('rect', {
          x: box.x - 6,
          y: top + 1,
          width: box.width + 12,
          height: rowHeight - 2,
          rx: 4,
          fill: theme.grid,
          'fill-opacity': 0.6,
        })
      : null;
    const name = narrow
      ? textAt(box.x, top + 13, fitText(condition.name, box.width, { weight: weightOf(condition) }), {
          weight: weightOf(condition),
        })
      : null;
    const y = narrow ? top + rowHeight - 15 : top + rowHeight / 2;
    return {
      stripe,
      drawn: element('g', { class: 'condition' }, name, drawRate(condition, measure, { x, y, box, theme })),
    };
  });
  return element(
    'g',
    { class: 'measure' },
    textAt(box.x, box.y - 18, measure.title, { weight: 600, size: 14 }),
    ...rows.map(({ stripe }) => stripe),
    bottomAxis(x, box, { theme, ticks: 5, format: percent }),
    target === undefined || !isDrawable(target)
      ? null
      : element('line', {
          class: 'target',
          x1: x(target),
          x2: x(target),
          y1: box.y - 4,
          y2: box.y + box.height,
          stroke: theme.ink,
          'stroke-dasharray': '3 3',
        }),
    ...rows.map(({ drawn }) => drawn),
  );
}

function drawRate(
  condition: EvaluatedCondition,
  { key, label, shape }: Measure,
  { x, y, box, theme }: { x: (value: number) => number; y: number; box: Box; theme: Theme },
): Markup {
  const rate = condition[key];
  if (!isDrawable(rate.rate, rate.low, rate.high)) {
    return textAt(box.x + 6, y, 'not measured', { fill: theme.muted });
  }
  const [low, high, colour] = [x(rate.low), x(rate.high), theme[label]];
  const text = rateText(rate);
  const style = { weight: weightOf(condition), halo: theme.background } as const;
  const after = high + 8 + textWidth(text, style) <= box.x + box.width;
  return element(
    'g',
    {},
    element('line', { x1: low, x2: high, y1: y, y2: y, stroke: colour, 'stroke-width': 2.4 }),
    ...[low, high].map((at) =>
      element('line', { x1: at, x2: at, y1: y - 5, y2: y + 5, stroke: colour, 'stroke-width': 2 }),
    ),
    marker(x(rate.rate), y, {
      shape,
      colour,
      filled: true,
      background: theme.background,
      radius: 5.5,
      title: `${condition.name}: ${text}, n = ${rate.n}`,
    }),
    textAt(after ? high + 9 : low - 9, y, text, { ...style, anchor: after ? 'start' : 'end' }),
  );
}

function weightOf({ highlighted }: EvaluatedCondition): 400 | 600 {
  return highlighted ? 600 : 400;
}

function describe({ conditions }: EvaluationPictureData): string {
  const rows = conditions.map(
    ({ name, harmfulAnswered, harmlessRefused }) =>
      `${name}: ${rateText(harmfulAnswered)} of the harmful queries answered, ${rateText(harmlessRefused)} of the harmless ones refused.`,
  );
  return `Less is better in both; in brackets, 95% intervals. ${rows.join(' ')}`;
}
