import { scaleLinear } from 'd3-scale';
import { element, type Markup } from '../../formats/markup.ts';
import { BOTTOM_AXIS, bottomAxis, domainOf, LEFT_AXIS, type NumberScale } from './axes.ts';
import { developmentLegend, drawDevelopment } from './development-panel.ts';
import { type Legend, type LegendEntry, legend } from './legend.ts';
import { drawLosses, lossSeries } from './loss-panel.ts';
import { type Box, isDrawable, isNarrow, type PictureStyle, picture } from './picture.ts';
import type { Rate } from './rate.ts';
import { textAt, textWidth } from './text.ts';
import type { Theme } from './theme.ts';

export interface TrainingPictureStep {
  step: number;
  loss: number;
  /** By name, weighted as they are in the sum. */
  terms: Readonly<Record<string, number>>;
}

export interface DevelopmentMeasure {
  step: number;
  harmfulRefused: Rate;
  harmlessRefused: Rate;
}

export interface TrainingPictureData {
  steps: readonly TrainingPictureStep[];
  development: readonly DevelopmentMeasure[];
  /** The step whose prompt was kept. */
  chosenStep: number | null;
}

/** One of the two pictures that share the axis of steps. */
export interface TrainingPanel {
  box: Box;
  x: NumberScale;
  theme: Theme;
  /** Names stand at the ends of the lines; where there is no room for that, a legend names them. */
  named: boolean;
}

const PANEL_TITLE = 32;
const LOSS_HEIGHT = 230;
const DEVELOPMENT_HEIGHT = 200;
const MARGIN = 14;
const NAME_GAP = 10;

/** How the loss fell, and what that did: its terms, and under them what was refused on the dev split, over the steps. */
export function trainingPicture(data: TrainingPictureData, style: PictureStyle): Markup {
  const { theme, width } = style;
  const named = !isNarrow(style);
  const series = lossSeries(data.steps, theme);
  const names = [...series.map(({ name }) => name), 'harmless refused'];
  const right = named ? NAME_GAP + Math.max(...names.map((name) => textWidth(name, { weight: 600 }))) : 0;
  const plot = { x: LEFT_AXIS, width: width - LEFT_AXIS - right - MARGIN };
  const keyAt = (entries: LegendEntry[], top: number): Legend =>
    named ? { markup: element('g', {}), height: 0 } : legend(entries, MARGIN, top, width - 2 * MARGIN);
  const lossKey = keyAt(
    series.map(({ name, sign }) => ({ label: name, sign })),
    PANEL_TITLE - 4,
  );
  const losses: Box = { ...plot, y: PANEL_TITLE + lossKey.height, height: LOSS_HEIGHT };
  const second = losses.y + LOSS_HEIGHT + 24 + PANEL_TITLE;
  const developmentKey = keyAt(developmentLegend(theme), second - 6);
  const development: Box = { ...plot, y: second + developmentKey.height, height: DEVELOPMENT_HEIGHT };
  const steps = [...data.steps, ...data.development].map(({ step }) => step).filter((step) => isDrawable(step));
  const x = scaleLinear(domainOf(steps, 0.01), [plot.x, plot.x + plot.width]);
  const axis = { theme, ticks: named ? 10 : 5 };
  return picture(
    style,
    {
      title: 'Training curve',
      description: describe(data),
      height: development.y + DEVELOPMENT_HEIGHT + BOTTOM_AXIS,
    },
    heading(losses.x, PANEL_TITLE / 2 - 2, 'Terms of the loss'),
    lossKey.markup,
    developmentKey.markup,
    bottomAxis(x, losses, axis),
    drawLosses(series, { box: losses, x, theme, named }),
    heading(
      development.x,
      second - 16,
      `Refused on the dev split${named && hasIntervals(data) ? ', with 95% intervals' : ''}`,
    ),
    bottomAxis(x, development, { ...axis, label: 'step' }),
    drawDevelopment(data.development, { box: development, x, theme, named }),
    chosenMark(data.chosenStep, { losses, development, x, theme }),
  );
}

/** Where nobody wrote down of how many queries the rates are, their intervals are points. */
export function hasIntervals({ development }: Pick<TrainingPictureData, 'development'>): boolean {
  return development.some(({ harmfulRefused, harmlessRefused }) =>
    [harmfulRefused, harmlessRefused].some(({ low, high }) => low < high),
  );
}

function heading(x: number, y: number, text: string): Markup {
  return textAt(x, y, text, { weight: 600, size: 14 });
}

interface MarkPlace {
  losses: Box;
  development: Box;
  x: NumberScale;
  theme: Theme;
}

function chosenMark(step: number | null, { losses, development, x, theme }: MarkPlace): Markup | null {
  if (step === null || !isDrawable(step)) return null;
  const at = x(step);
  const [left, right] = [losses.x, losses.x + losses.width];
  if (at < left || at > right) return null;
  const bottom = development.y + development.height;
  const lines = [losses, development].map((box) =>
    element('line', {
      x1: at,
      x2: at,
      y1: box.y,
      y2: box.y + box.height,
      stroke: theme.ink,
      'stroke-dasharray': '2 3',
    }),
  );
  const atRight = at > (left + right) / 2;
  const label = textAt(at + (atRight ? -6 : 6), bottom - 12, `kept: step ${step}`, {
    anchor: atRight ? 'end' : 'start',
    weight: 600,
    halo: theme.background,
  });
  return element('g', { class: 'chosen' }, ...lines, label);
}

function describe({ steps, development, chosenStep }: TrainingPictureData): string {
  const [first, last] = [steps.at(0), steps.at(-1)];
  const number = (value: number) => (Number.isFinite(value) ? value.toPrecision(3) : 'no number');
  const loss =
    first === undefined || last === undefined
      ? 'No step was made.'
      : `The loss went from ${number(first.loss)} at step ${first.step} to ${number(last.loss)} at step ${last.step}.`;
  const kept = development.find(({ step }) => step === chosenStep);
  const share = (rate: number) => `${(rate * 100).toFixed(1)}%`;
  return kept === undefined
    ? loss
    : `${loss} At step ${kept.step}, whose prompt was kept, ${share(kept.harmfulRefused.rate)} of the harmful and ${share(kept.harmlessRefused.rate)} of the harmless queries of the dev split were refused.`;
}
