import { scaleLinear } from 'd3-scale';
import { element, type Markup } from '../../formats/markup.ts';
import {
  type AnchorPoint,
  type AnchorsPictureData,
  type AnchorsView,
  anchorGroups,
  viewAnchors,
} from './anchors-view.ts';
import { BOTTOM_AXIS, bottomAxis, domainOf, LEFT_AXIS, leftAxis, type NumberScale, percent } from './axes.ts';
import { type LegendEntry, legend, lineSign } from './legend.ts';
import { arrow, marker, type Point } from './markers.ts';
import { type Box, isNarrow, type PictureStyle, picture } from './picture.ts';
import { clipLine, type Line } from './project.ts';
import { alongArrow, type Covered, placeSideLabel } from './side-label.ts';
import { fitText, textAt } from './text.ts';
import type { Theme } from './theme.ts';

const GAP = 26;
const PANEL_TITLE = 30;
const MARGIN = 14;
/** Of a panel's height in its width. */
const ASPECT = 0.86;
const RADIUS = 3.4;
/** The edge takes that much off a full mark. */
const FILLED_EXTRA = 0.6;
/** CSS pixels of a panel's width. */
const LONG_LABELS_FROM = 320;
const DASHES = { refusal: '9 5', harmfulness: '2 4' } as const;

/**
 * The paper's figures 2 and 5: the last input tokens' states in the plane of the first two principal components, under no prompt and under
 * others, with the probes' boundaries and the way that the two kinds of queries moved.
 */
export function anchorsPicture(data: AnchorsPictureData, style: PictureStyle): Markup {
  return anchorsViewPicture(viewAnchors(data), style);
}

/** The same of what was projected before: states are large, and their positions in the plane are few numbers. */
export function anchorsViewPicture(view: AnchorsView, style: PictureStyle): Markup {
  const { theme, width } = style;
  const points = view.panels.flatMap((panel) => panel.points);
  const columns = isNarrow(style) ? 1 : Math.min(2, Math.max(1, view.panels.length));
  const panelWidth = (width - LEFT_AXIS - MARGIN - GAP * (columns - 1)) / columns;
  const panelHeight = panelWidth * ASPECT;
  const key = legend(legendEntries(theme), MARGIN, 6, width - 2 * MARGIN);
  const rowHeight = PANEL_TITLE + panelHeight + BOTTOM_AXIS;
  const panels = view.panels.map((panel, index) => {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    const box: Box = {
      x: LEFT_AXIS + column * (panelWidth + GAP),
      y: key.height + 6 + row * rowHeight + PANEL_TITLE,
      width: panelWidth,
      height: panelHeight,
    };
    const x = scaleLinear(domainOf(points.map((point) => point.x)), [box.x, box.x + box.width]);
    const y = scaleLinear(domainOf(points.map((point) => point.y)), [box.y + box.height, box.y]);
    return drawPanel({ view, panel, box, x, y, theme, first: column === 0 });
  });
  const height = key.height + 6 + Math.ceil(view.panels.length / columns) * rowHeight + 4;
  return picture(
    style,
    { title: 'Anchors in the first two principal components', description: describe(view), height },
    key.markup,
    ...panels,
  );
}

interface PanelDrawing {
  view: AnchorsView;
  panel: AnchorsView['panels'][number];
  box: Box;
  x: NumberScale;
  y: NumberScale;
  theme: Theme;
  /** Stands at the left, where the numbers of the vertical axis are. */
  first: boolean;
}

function drawPanel(drawing: PanelDrawing): Markup {
  const { view, panel, box, x, y, theme, first } = drawing;
  const [xLabel, yLabel] = axisLabels(view, box.width < LONG_LABELS_FROM);
  const onPaper = (point: Point): Point => ({ x: x(point.x), y: y(point.y) });
  const moves = panel.moves.map(({ from, to }) => [onPaper(from), onPaper(to)] as const);
  const covered = [
    ...panel.points.map((point) => ({ at: onPaper(point), cost: 1 })),
    ...moves.flatMap(([from, to]) => alongArrow(from, to)),
  ];
  return element(
    'g',
    { class: 'panel' },
    textAt(box.x, box.y - 14, fitText(panel.title, box.width, { weight: 600, size: 14 }), { weight: 600, size: 14 }),
    bottomAxis(x, box, { theme, ticks: 6, label: xLabel }),
    leftAxis(y, box, { theme, ticks: 6, bare: !first, ...(first ? { label: yLabel } : {}) }),
    ...panel.points.map((point) => drawPoint(point, drawing)),
    // Before the boundaries, whose names can then be read even where they find no place beside an arrow.
    ...moves.map(([from, to]) => arrow(from, to, arrowStyle(theme))),
    boundary('refused', view.boundaries.refusal, DASHES.refusal, drawing, covered),
    boundary('harmful', view.boundaries.harmfulness, DASHES.harmfulness, drawing, covered),
  );
}

function axisLabels({ variance }: AnchorsView, short: boolean): [string, string] {
  const label = (name: string, share: number) => {
    const of = short ? '' : ' of the variance';
    return `${name} ${short ? '' : 'principal '}component${Number.isFinite(share) ? ` (${percent(share)}${of})` : ''}`;
  };
  return [label('first', variance[0]), label('second', variance[1])];
}

function drawPoint(point: AnchorPoint, { x, y, theme }: PanelDrawing): Markup {
  return marker(x(point.x), y(point.y), groupStyle(point, theme));
}

function groupStyle({ label, refused }: Pick<AnchorPoint, 'label' | 'refused'>, theme: Theme) {
  const shape = label === 'harmful' ? ('triangle' as const) : ('circle' as const);
  return {
    shape,
    colour: theme[label],
    filled: refused,
    background: theme.background,
    radius: RADIUS + (refused ? FILLED_EXTRA : 0),
  };
}

/** Length of the short stroke that points to the side where the probe says yes, in CSS pixels. */
const SIDE_MARK = 9;
/** Where the strokes stand, as shares of the boundary's length; the side is named at one of them. */
const SIDE_MARKS_AT = [0.06, 0.94, 0.5];

function boundary(
  side: string,
  line: Line,
  dash: string,
  { box, x, y, theme }: PanelDrawing,
  covered: readonly Covered[],
): Markup | null {
  const inverse = (scale: NumberScale, a: number, b: number) => [scale.invert(a), scale.invert(b)] as const;
  const piece = clipLine(line, {
    x: inverse(x, box.x, box.x + box.width),
    y: inverse(y, box.y + box.height, box.y),
  });
  if (piece === null) return null;
  const [x1, y1, x2, y2] = [x(piece[0].x), y(piece[0].y), x(piece[1].x), y(piece[1].y)];
  // The gradient in pixels: each axis has its own scale, and the vertical one points down.
  const [gx, gy] = [line.a / slope(x), line.b / slope(y)];
  const length = Math.hypot(gx, gy);
  const sides = SIDE_MARKS_AT.map((share) => {
    const [sx, sy] = [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
    return { sx, sy, ex: sx + (gx / length) * SIDE_MARK, ey: sy + (gy / length) * SIDE_MARK };
  });
  const tips = sides.map(({ ex, ey }) => ({ x: ex, y: ey }));
  const label = placeSideLabel(side, tips, { x: gx / length, y: gy / length }, box, covered);
  return element(
    'g',
    { class: 'boundary' },
    element(
      'g',
      { stroke: theme.ink, 'stroke-width': 1.8 },
      element('line', { x1, y1, x2, y2, 'stroke-dasharray': dash }),
      ...sides.map(({ sx, sy, ex, ey }) => element('line', { x1: sx, y1: sy, x2: ex, y2: ey })),
    ),
    label === null ? null : textAt(label.x, label.y, side, { anchor: label.anchor, halo: theme.background }),
  );
}

function slope(scale: NumberScale): number {
  const [[from = 0, to = 1], [start = 0, end = 0]] = [scale.domain(), scale.range()];
  return (end - start) / (to - from);
}

function legendEntries(theme: Theme): LegendEntry[] {
  const groups = anchorGroups.map((group) => ({
    label: `${group.label}, ${group.refused ? 'refused' : 'answered'}`,
    sign: (x: number, y: number) => marker(x, y, { ...groupStyle(group, theme), radius: RADIUS + 0.8 }),
  }));
  return [
    ...groups,
    { label: 'refusal boundary', sign: lineSign(theme.ink, DASHES.refusal, 1.8) },
    { label: 'harmfulness boundary', sign: lineSign(theme.ink, DASHES.harmfulness, 1.8) },
    {
      label: 'mean move',
      sign: (x, y) => arrow({ x: x - 12, y }, { x: x + 12, y }, arrowStyle(theme)) ?? element('g', {}),
    },
  ];
}

/** Not in a group's colour: it lies among its marks. */
function arrowStyle({ ink, background }: Theme) {
  return { colour: ink, background };
}

function describe({ panels }: AnchorsView): string {
  const counts = panels.map(({ title, points }) => {
    const groups = anchorGroups.map((group) => {
      const count = points.filter((point) => point.label === group.label && point.refused === group.refused).length;
      return `${count} ${group.label} ${group.refused ? 'refused' : 'answered'}`;
    });
    return `${title}: ${groups.join(', ')}.`;
  });
  return `Each mark is a query. ${counts.join(' ')} Short strokes at the dashed boundaries point to the side that is refused, or harmful.`;
}
