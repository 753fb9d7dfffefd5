import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { element, type Markup } from '../../formats/markup.ts';
import { leftAxis, percent } from './axes.ts';
import { endNames } from './end-names.ts';
import type { LegendEntry } from './legend.ts';
import { marker } from './markers.ts';
import { isDrawable } from './picture.ts';
import type { Rate } from './rate.ts';
import { textAt } from './text.ts';
import type { Theme } from './theme.ts';
import type { DevelopmentMeasure, TrainingPanel } from './training-picture.ts';

const shapes = { harmful: 'triangle', harmless: 'circle' } as const;
const labels = ['harmful', 'harmless'] as const;

function rateName(label: keyof typeof shapes): string {
  return `${label} refused`;
}

export function developmentLegend({ background, ...theme }: Theme): LegendEntry[] {
  return labels.map((label) => ({
    label: rateName(label),
    sign: (x, y) => marker(x, y, { shape: shapes[label], colour: theme[label], filled: true, background, radius: 4 }),
  }));
}

interface Measured {
  step: number;
  rate: Rate;
}

/** The two rates that count, measured on answers and not on states, each within the band of its interval. */
export function drawDevelopment(
  measures: readonly DevelopmentMeasure[],
  { box, x, theme, named }: TrainingPanel,
): Markup {
  const y = scaleLinear([0, 1], [box.y + box.height, box.y]);
  const axis = leftAxis(y, box, { theme, ticks: 5, format: percent });
  const rates = labels.map((label) => ({
    label,
    name: rateName(label),
    colour: theme[label],
    shape: shapes[label],
    points: measures
      .map((measure) => ({ step: measure.step, rate: measure[`${label}Refused`] }))
      .filter(({ step, rate }) => isDrawable(step, rate.rate, rate.low, rate.high)),
  }));
  const drawn = rates.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) {
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    return element('g', {}, axis, textAt(middle.x, middle.y, 'not measured', { anchor: 'middle', fill: theme.muted }));
  }
  const band = area<Measured>()
    .x(({ step }) => x(step))
    .y0(({ rate }) => y(rate.low))
    .y1(({ rate }) => y(rate.high))
    .digits(2);
  const middle = line<Measured>()
    .x(({ step }) => x(step))
    .y(({ rate }) => y(rate.rate))
    .digits(2);
  const ends = drawn.map(({ name, points, colour }) => ({ name, y: y(points.at(-1)?.rate.rate ?? 0), colour }));
  return element(
    'g',
    { class: 'development' },
    axis,
    ...drawn.map(({ points, colour }) =>
      element('path', { class: 'band', d: band(points) ?? '', fill: colour, 'fill-opacity': 0.16 }),
    ),
    ...drawn.map(({ points, colour, shape }) => [
      element('path', { d: middle(points) ?? '', fill: 'none', stroke: colour, 'stroke-width': 2 }),
      ...points.map(({ step, rate }) =>
        marker(x(step), y(rate.rate), { shape, colour, filled: true, background: theme.background, radius: 4 }),
      ),
    ]),
    named ? endNames(ends, box, theme) : null,
  );
}
