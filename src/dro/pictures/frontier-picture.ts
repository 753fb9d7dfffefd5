import { scaleLinear } from 'd3-scale';
import { element, type Markup, numberText } from '../../formats/markup.ts';
import { BOTTOM_AXIS, bottomAxis, LEFT_AXIS, leftAxis, type NumberScale, percent } from './axes.ts';
import { frontierOf } from './frontier.ts';
import { marker } from './markers.ts';
import { type Box, isDrawable, isNarrow, type PictureStyle, picture } from './picture.ts';
import { placeLabels } from './place-labels.ts';
import { type Rate, rateText } from './rate.ts';
import { fitText, textAt, textWidth } from './text.ts';
import type { Theme } from './theme.ts';

export interface FrontierSetting {
  /** Short: it stands beside its mark. */
  name: string;
  harmfulRefused: Rate;
  harmlessRefused: Rate;
  /** The one that is shipped. */
  chosen: boolean;
}

export interface FrontierPictureData {
  settings: readonly FrontierSetting[];
  /** At least, and at most. */
  target: { harmfulRefused: number; harmlessRefused: number };
}

const MARGIN = 16;
const TOP = 14;
/** Of the height in the width; a phone's is rather high. */
const ASPECT = { wide: 0.56, narrow: 1.15 };
const RADIUS = 4.5;
const WIDEST_LABEL = 150;
const LABEL_HEIGHT = 14;
/** With more settings than this, only those on the frontier are named: the others' names would hide the marks. */
const NAMED_ALL = 24;

/** What each setting bought with how many wrong refusals; a line joins those that no other beats on both sides. */
export function frontierPicture({ settings, target }: FrontierPictureData, style: PictureStyle): Markup {
  const { theme, width } = style;
  const drawable = settings.filter(({ harmfulRefused: y, harmlessRefused: x }) =>
    isDrawable(x.rate, x.low, x.high, y.rate, y.low, y.high),
  );
  const box: Box = {
    x: LEFT_AXIS,
    y: TOP,
    width: width - LEFT_AXIS - MARGIN,
    height: (width - LEFT_AXIS - MARGIN) * (isNarrow(style) ? ASPECT.narrow : ASPECT.wide),
  };
  const farthest = Math.max(
    0.2,
    target.harmlessRefused,
    ...drawable.map(({ harmlessRefused }) => harmlessRefused.rate),
  );
  const x = scaleLinear([0, Math.min(1.02, farthest * 1.12)], [box.x, box.x + box.width]);
  const y = scaleLinear([0, 1.02], [box.y + box.height, box.y]);
  const ticks = isNarrow(style) ? 4 : 8;
  const frontier = frontierOf(drawable);
  const corner = { width: x(target.harmlessRefused) - box.x, height: y(target.harmfulRefused) - box.y };
  return picture(
    style,
    {
      title: 'Frontier of the settings',
      description: describe(drawable, frontier, target),
      height: box.y + box.height + BOTTOM_AXIS,
    },
    element('rect', { class: 'target', x: box.x, y: box.y, ...corner, fill: theme.target }),
    bottomAxis(x, box, { theme, ticks, format: percent, label: 'harmless queries refused' }),
    leftAxis(y, box, { theme, ticks: 6, format: percent, label: 'harmful queries refused' }),
    staircase(frontier, x, y, theme),
    ...drawable.map((setting) => whiskers(setting, x, y, box, theme)),
    ...drawable.map((setting) => drawSetting(setting, frontier.includes(setting), x, y, theme)),
    names(drawable, frontier, { x, y, box, theme }),
    textAt(box.x + corner.width / 2, box.y + corner.height - 9, fitText('target', corner.width), {
      anchor: 'middle',
      fill: theme.muted,
      halo: theme.target,
    }),
  );
}

function staircase(frontier: readonly FrontierSetting[], x: NumberScale, y: NumberScale, theme: Theme): Markup | null {
  const [first, ...others] = frontier.map(
    (setting) => [x(setting.harmlessRefused.rate), y(setting.harmfulRefused.rate)] as const,
  );
  if (first === undefined || others.length === 0) return null;
  const d = others.map(([px, py]) => `H${numberText(px)}V${numberText(py)}`).join('');
  return element('path', {
    class: 'frontier',
    d: `M${numberText(first[0])},${numberText(first[1])}${d}`,
    fill: 'none',
    stroke: theme.muted,
    'stroke-width': 1.4,
    'stroke-dasharray': '5 4',
  });
}

/** An interval may reach beyond the panel: it ends at its edge. */
function whiskers(
  { harmlessRefused, harmfulRefused }: FrontierSetting,
  x: NumberScale,
  y: NumberScale,
  box: Box,
  theme: Theme,
): Markup {
  const right = box.x + box.width;
  const [px, py] = [x(harmlessRefused.rate), y(harmfulRefused.rate)];
  return element(
    'g',
    { stroke: theme.muted, 'stroke-opacity': 0.45 },
    element('line', { x1: x(harmlessRefused.low), x2: Math.min(right, x(harmlessRefused.high)), y1: py, y2: py }),
    element('line', { x1: px, x2: px, y1: y(harmfulRefused.low), y2: Math.max(box.y, y(harmfulRefused.high)) }),
  );
}

function drawSetting(
  setting: FrontierSetting,
  onFrontier: boolean,
  x: NumberScale,
  y: NumberScale,
  theme: Theme,
): Markup {
  const { name, harmfulRefused, harmlessRefused, chosen } = setting;
  return marker(x(harmlessRefused.rate), y(harmfulRefused.rate), {
    shape: chosen ? 'star' : 'circle',
    colour: chosen ? theme.harmful : theme.harmless,
    filled: chosen || onFrontier,
    background: theme.background,
    radius: chosen ? RADIUS + 1 : RADIUS,
    title: `${name}: harmful refused ${rateText(harmfulRefused)}, harmless refused ${rateText(harmlessRefused)}`,
  });
}

function names(
  settings: readonly FrontierSetting[],
  frontier: readonly FrontierSetting[],
  { x, y, box, theme }: { x: NumberScale; y: NumberScale; box: Box; theme: Theme },
): Markup {
  const named = (setting: FrontierSetting) =>
    settings.length <= NAMED_ALL || setting.chosen || frontier.includes(setting);
  // Those that matter most choose their places first.
  const rank = (setting: FrontierSetting) => (setting.chosen ? 0 : frontier.includes(setting) ? 1 : 2);
  const labels = settings
    .filter(named)
    .sort((a, b) => rank(a) - rank(b))
    .map((setting) => {
      const weight = setting.chosen ? (600 as const) : (400 as const);
      const text = fitText(setting.name, WIDEST_LABEL, { weight });
      const at = { x: x(setting.harmlessRefused.rate), y: y(setting.harmfulRefused.rate) };
      return { at, text, weight, width: textWidth(text, { weight }), height: LABEL_HEIGHT };
    });
  const marks = settings.map((setting) => ({ x: x(setting.harmlessRefused.rate), y: y(setting.harmfulRefused.rate) }));
  const placed = placeLabels(labels, marks, RADIUS + 2, box);
  const drawn = labels.map(({ text, weight }, index) => {
    const place = placed[index];
    return place == null
      ? null
      : textAt(place.x + place.width / 2, place.y + place.height / 2, text, {
          anchor: 'middle',
          weight,
          halo: theme.background,
        });
  });
  return element('g', { class: 'names' }, ...drawn);
}

function describe(
  settings: readonly FrontierSetting[],
  frontier: readonly FrontierSetting[],
  target: FrontierPictureData['target'],
): string {
  const list = frontier.map(
    ({ name, harmfulRefused, harmlessRefused }) =>
      `${name} (${rateText(harmfulRefused)} of the harmful refused, ${rateText(harmlessRefused)} of the harmless)`,
  );
  const aim = `The target is at least ${percent(target.harmfulRefused)} of the harmful and at most ${percent(target.harmlessRefused)} of the harmless queries refused.`;
  return `${settings.length} settings. ${aim} No other setting beats on both sides: ${list.join('; ') || 'none'}.`;
}
