import { scaleLinear } from 'd3-scale';
import { element, type Markup } from '../../formats/markup.ts';
import { BOTTOM_AXIS, bottomAxis, LEFT_AXIS, leftAxis, percent } from './axes.ts';
import { frontierOf } from './frontier.ts';
import { frontierNames, type Plane } from './frontier-names.ts';
import { marker } from './markers.ts';
import { type Box, isNarrow, type PictureStyle, picture } from './picture.ts';
import { isMeasured, type Rate, rateText } from './rate.ts';
import { textAt, textWidth } from './text.ts';

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
const ASPECT = { wide: 0.52, narrow: 1.15 };
const RADIUS = 4.5;

/** What each setting bought with how many wrong refusals; a line joins those that no other beats on both sides. */
export function frontierPicture({ settings, target }: FrontierPictureData, style: PictureStyle): Markup {
  const { theme, width } = style;
  const drawable = settings.filter(
    ({ harmfulRefused, harmlessRefused }) => isMeasured(harmfulRefused) && isMeasured(harmlessRefused),
  );
  const box: Box = {
    x: LEFT_AXIS,
    y: TOP,
    width: width - LEFT_AXIS - MARGIN,
    height: (width - LEFT_AXIS - MARGIN) * (isNarrow(style) ? ASPECT.narrow : ASPECT.wide),
  };
  const farthest = Math.max(0.2, target.harmlessRefused, ...drawable.map(({ harmlessRefused: { rate } }) => rate));
  const plane: Plane = {
    box,
    theme,
    x: scaleLinear([0, Math.min(1.02, farthest * 1.12)], [box.x, box.x + box.width]),
    y: scaleLinear([0, 1.02], [box.y + box.height, box.y]),
  };
  const ticks = isNarrow(style) ? 4 : 8;
  const frontier = frontierOf(drawable);
  const steps = staircase(frontier, plane);
  const whiskers = drawable.flatMap((setting) => whiskersOf(setting, plane));
  const corner = cornerOf(target, plane);
  const word = cornerWord(corner);
  return picture(
    style,
    {
      title: 'Frontier of the settings',
      description: describe(drawable, frontier, target),
      height: box.y + box.height + BOTTOM_AXIS,
    },
    element('rect', { class: 'target', ...corner, fill: theme.target }),
    bottomAxis(plane.x, box, { theme, ticks, format: percent, label: 'harmless queries refused' }),
    leftAxis(plane.y, box, { theme, ticks: 6, format: percent, label: 'harmful queries refused' }),
    word === null
      ? null
      : textAt(word.x, word.y + word.height / 2, TARGET_WORD, { fill: theme.muted, halo: theme.target }),
    element('g', { class: 'whiskers', stroke: theme.muted, 'stroke-opacity': 0.45 }, ...whiskers.map(drawSegment)),
    element(
      'g',
      { class: 'frontier', stroke: theme.muted, 'stroke-width': 1.4, 'stroke-dasharray': '5 4' },
      ...steps.map(drawSegment),
    ),
    ...drawable.map((setting) => drawSetting(setting, frontier.includes(setting), plane)),
    frontierNames(drawable, frontier, plane, {
      radius: RADIUS + 2,
      solid: word === null ? [] : [word],
      thin: [...whiskers, ...steps].map(segmentBox),
    }),
  );
}

const TARGET_WORD = 'target';

function cornerOf(target: FrontierPictureData['target'], { x, y, box }: Plane): Box {
  return { x: box.x, y: box.y, width: x(target.harmlessRefused) - box.x, height: y(target.harmfulRefused) - box.y };
}

/** Where the word stands within its corner, if there is room for it. */
function cornerWord({ x, y, width, height }: Box): Box | null {
  const word = { x: x + 6, y: y + 4, width: textWidth(TARGET_WORD), height: 14 };
  return word.width + 12 > width || word.height + 8 > height ? null : word;
}

interface Segment {
  x1: number;
  x2: number;
  y1: number;
  y2: number;
}

function drawSegment({ x1, x2, y1, y2 }: Segment): Markup {
  return element('line', { x1, x2, y1, y2 });
}

function segmentBox({ x1, x2, y1, y2 }: Segment): Box {
  return { x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) };
}

/** How many harmful queries are refused at best, if so many harmless ones may be. */
function staircase(frontier: readonly FrontierSetting[], { x, y, box }: Plane): Segment[] {
  return frontier.flatMap(({ harmfulRefused, harmlessRefused }, index) => {
    const [from, at, next] = [x(harmlessRefused.rate), y(harmfulRefused.rate), frontier[index + 1]];
    if (next === undefined) return [{ x1: from, x2: box.x + box.width, y1: at, y2: at }];
    const to = x(next.harmlessRefused.rate);
    return [
      { x1: from, x2: to, y1: at, y2: at },
      { x1: to, x2: to, y1: at, y2: y(next.harmfulRefused.rate) },
    ];
  });
}

/** An interval may reach beyond the panel: it ends at its edge. */
function whiskersOf({ harmlessRefused, harmfulRefused }: FrontierSetting, { x, y, box }: Plane): Segment[] {
  const [px, py] = [x(harmlessRefused.rate), y(harmfulRefused.rate)];
  const right = box.x + box.width;
  return [
    { x1: x(harmlessRefused.low), x2: Math.min(right, x(harmlessRefused.high)), y1: py, y2: py },
    { x1: px, x2: px, y1: y(harmfulRefused.low), y2: Math.max(box.y, y(harmfulRefused.high)) },
  ];
}

function drawSetting(setting: FrontierSetting, onFrontier: boolean, { x, y, theme }: Plane): Markup {
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
