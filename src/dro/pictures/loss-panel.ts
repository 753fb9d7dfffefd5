import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { element, type Markup } from '../../formats/markup.ts';
import { domainOf, leftAxis, type NumberScale } from './axes.ts';
import { endNames } from './end-names.ts';
import { type LegendEntry, lineSign } from './legend.ts';
import { isDrawable } from './picture.ts';
import { smooth } from './smooth.ts';
import type { Theme } from './theme.ts';
import type { TrainingPanel, TrainingPictureStep } from './training-picture.ts';

export interface LossSeries {
  name: string;
  points: { step: number; value: number }[];
  colour: string;
  dash: string | undefined;
  width: number;
  sign: LegendEntry['sign'];
}

/** One dash a term, so that they are told apart without their colours. */
const DASHES = [undefined, '7 3', '2 3', '9 3 2 3', '4 2'];

/** The sum, then each term in the order in which they first occur; a sum of one term alone is that term. */
export function lossSeries(steps: readonly TrainingPictureStep[], theme: Theme): LossSeries[] {
  const names = [...new Set(steps.flatMap(({ terms }) => Object.keys(terms)))];
  const colours = [theme.harmless, ...theme.series, theme.harmful];
  const terms = names.map((name, index) => {
    const paint = {
      colour: colours[index % colours.length] ?? theme.ink,
      dash: DASHES[index % DASHES.length],
      width: 1.8,
    };
    const points = steps.map(({ step, terms }) => ({ step, value: terms[name] ?? Number.NaN }));
    return { name, points, ...paint, sign: lineSign(paint.colour, paint.dash) };
  });
  const sum = steps.map(({ step, loss }) => ({ step, value: loss }));
  const paint = { colour: theme.ink, dash: undefined, width: 2.6 };
  return names.length === 1
    ? terms
    : [{ name: 'loss', points: sum, ...paint, sign: lineSign(theme.ink, undefined, 2.6) }, ...terms];
}

/** From so many steps on, a line is the mean over neighbours, and what was measured stands behind it, faint. */
const SMOOTHED_FROM = 40;
/** Share of the steps on either side that a mean takes in. */
const SMOOTHING = 0.025;
/** From this ratio of the greatest value to the least, the small terms could not be seen on a linear scale. */
const LOGARITHMIC_FROM = 30;
/** A term that fell below is as good as zero, and would take most of a logarithmic scale for itself. */
const LEAST_LOGARITHM = 1e-12;

export function drawLosses(series: readonly LossSeries[], { box, x, theme, named }: TrainingPanel): Markup {
  const lines = series.map((each) => {
    const points = each.points.filter(({ step }) => isDrawable(step));
    const values = points.map(({ value }) => (isDrawable(value) ? value : Number.NaN));
    const reach = values.length < SMOOTHED_FROM ? 0 : Math.ceil(values.length * SMOOTHING);
    const smoothed = smooth(values, reach).map((value, index) => ({ step: points[index]?.step ?? 0, value }));
    return {
      ...each,
      raw: reach === 0 ? null : points.map(({ step }, index) => ({ step, value: values[index] ?? Number.NaN })),
      smoothed,
    };
  });
  const y = lossScale(lines.flatMap(({ smoothed }) => smoothed.map(({ value }) => value)).filter(Number.isFinite), [
    box.y + box.height,
    box.y,
  ]);
  const path = curve(x, y, box);
  const ends = lines.flatMap(({ name, smoothed, colour }) => {
    const last = smoothed.findLast(({ value }) => Number.isFinite(value));
    return last === undefined ? [] : [{ name, y: y(last.value), colour }];
  });
  return element(
    'g',
    {},
    leftAxis(y, box, { theme, ticks: 5, specifier: '~g' }),
    ...lines.map(({ raw, colour }) =>
      raw === null ? null : element('path', { d: path(raw), fill: 'none', stroke: colour, 'stroke-opacity': 0.25 }),
    ),
    ...lines.map(({ smoothed, colour, dash, width }) =>
      element('path', {
        class: 'loss',
        d: path(smoothed),
        fill: 'none',
        stroke: colour,
        'stroke-width': width,
        'stroke-dasharray': dash,
      }),
    ),
    named ? endNames(ends, box, theme) : null,
  );
}

/** Single values may lie outside of what the smoothed ones span: they are drawn at the edge. */
function curve(x: NumberScale, y: NumberScale, box: TrainingPanel['box']) {
  const inside = (at: number) => Math.max(box.y, Math.min(box.y + box.height, at));
  const generator = line<{ step: number; value: number }>()
    .defined(({ value }) => Number.isFinite(value) && Number.isFinite(y(value)))
    .x(({ step }) => x(step))
    .y(({ value }) => inside(y(value)))
    .digits(2);
  return (points: { step: number; value: number }[]) => generator(points) ?? '';
}

function lossScale(values: readonly number[], range: [number, number]): NumberScale {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  if (values.length > 0 && least > LEAST_LOGARITHM && greatest / least > LOGARITHMIC_FROM) {
    return scaleLog([least / 1.15, greatest * 1.15], range);
  }
  return scaleLinear(domainOf(values), range);
}
