import { scaleLinear } from 'd3-scale';
import { element, type Markup } from '../../formats/markup.ts';
import { bottomAxis, type NumberScale, percent } from './axes.ts';
import { marker } from './markers.ts';
import { type Box, isDrawable, isNarrow, type PictureStyle, picture } from './picture.ts';
import { isMeasured, type Rate, rateText } from './rate.ts';
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
  words: string;
  label: 'harmful' | 'harmless';
  shape: 'triangle' | 'circle';
}

const measures: readonly Measure[] = [
  {
    key: 'harmfulAnswered',
    title: 'Harmful queries answered',
    words: 'harmful queries answered',
    label: 'harmful',
    shape: 'triangle',
  },
  {
    key: 'harmlessRefused',
    title: 'Harmless queries refused',
    words: 'harmless queries refused',
    label: 'harmless',
    shape: 'circle',
  },
];

/** The number at the end of an axis reaches beyond it. */
const MARGIN = 20;
const GAP = 46;
/** An axis without a label. */
const AXIS = 26;
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
  const shown = shownMeasures(data);
  const columns = narrow ? 1 : shown.length;
  const left = MARGIN + names;
  const width = (style.width - left - MARGIN - GAP * (columns - 1)) / columns;
  const height = rowHeight * Math.max(1, data.conditions.length);
  const panels = shown.map((measure, index) => {
    const box: Box = {
      x: left + (narrow ? 0 : index * (width + GAP)),
      y: TITLE + (narrow ? index * (TITLE + height + AXIS + 10) : 0),
      width,
      height,
    };
    return drawMeasure(data, measure, { box, rowHeight, narrow, theme: style.theme });
  });
  return picture(
    style,
    {
      title: `Evaluation on ${data.set}`,
      description: describe(data, shown),
      height: (TITLE + height + AXIS) * (narrow ? shown.length : 1) + (narrow ? 10 : 0),
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

/** A set may hold queries of one kind only: what was measured under no condition has no panel, unless nothing was measured at all. */
function shownMeasures({ conditions }: EvaluationPictureData): readonly Measure[] {
  const measured = measures.filter(({ key }) => conditions.some((condition) => isMeasured(condition[key])));
  return measured.length === 0 ? measures : measured;
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
          fill: theme.highlight,
        })
      : null;
    const name = narrow ? drawNameAndRate(condition, measure, { box, theme }, top + 13) : null;
    const y = narrow ? top + rowHeight - 15 : top + rowHeight / 2;
    const drawn = drawRate(condition, measure, { x, y, box, theme, named: !narrow });
    return { stripe, drawn: element('g', { class: 'condition' }, name, drawn) };
  });
  return element(
    'g',
    { class: 'measure' },
    textAt(box.x, box.y - 18, measure.title, { weight: 600, size: 14 }),
    ...rows.map(({ stripe }) => stripe),
    bottomAxis(x, box, { theme, ticks: 5, format: percent }),
    target === undefined || !isDrawable(target) ? null : drawTarget(target, x(target), box, theme),
    ...rows.map(({ drawn }) => drawn),
  );
}

/** Where names have no room beside the panel: above the whisker, the figures at the other end of the line. */
function drawNameAndRate(
  condition: EvaluatedCondition,
  { key }: Measure,
  { box, theme }: Pick<Panel, 'box' | 'theme'>,
  y: number,
): Markup {
  const style = { weight: weightOf(condition), halo: haloOf(condition, theme) };
  const rate = condition[key];
  const text = isMeasured(rate) ? rateText(rate) : '';
  const room = box.width - textWidth(text, style) - 12;
  return element(
    'g',
    {},
    textAt(box.x, y, fitText(condition.name, room, style), style),
    textAt(box.x + box.width, y, text, { ...style, anchor: 'end' }),
  );
}

function drawTarget(target: number, at: number, box: Box, theme: Theme): Markup {
  const right = box.x + box.width;
  return element(
    'g',
    { class: 'target' },
    element('line', {
      x1: at,
      x2: at,
      y1: box.y - 4,
      y2: box.y + box.height,
      stroke: theme.ink,
      'stroke-dasharray': '3 3',
    }),
    textAt(right, box.y - 18, `target ≤ ${percent(target)}`, { anchor: 'end', fill: theme.muted }),
  );
}

function drawRate(
  condition: EvaluatedCondition,
  { key, label, shape }: Measure,
  { x, y, box, theme, named }: { x: NumberScale; y: number; box: Box; theme: Theme; named: boolean },
): Markup {
  const rate = condition[key];
  if (!isMeasured(rate)) {
    return textAt(box.x + 6, y, 'not measured', { fill: theme.muted });
  }
  const [low, high, colour] = [x(rate.low), x(rate.high), theme[label]];
  const text = rateText(rate);
  const style = { weight: weightOf(condition), halo: haloOf(condition, theme) };
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
    !named ? null : textAt(after ? high + 9 : low - 9, y, text, { ...style, anchor: after ? 'start' : 'end' }),
  );
}

function haloOf({ highlighted }: EvaluatedCondition, { highlight, background }: Theme): string {
  return highlighted ? highlight : background;
}

function weightOf({ highlighted }: EvaluatedCondition): 400 | 600 {
  return highlighted ? 600 : 400;
}

function describe({ conditions }: EvaluationPictureData, shown: readonly Measure[]): string {
  const rows = conditions.map((condition) => {
    const figures = shown.map(({ key, words }) => `${rateText(condition[key])} of the ${words}`);
    return `${condition.name}: ${figures.join(', ')}.`;
  });
  return `Less is better${shown.length > 1 ? ' in both' : ''}; in brackets, 95% intervals. ${rows.join(' ')}`;
}
