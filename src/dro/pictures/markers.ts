import { element, type Markup, numberText } from '../../formats/markup.ts';

export interface MarkerStyle {
  shape: 'circle' | 'triangle' | 'star';
  colour: string;
  /** Full, or an outline around the background. */
  filled: boolean;
  background: string;
  /** CSS pixels; shapes of one radius look equally large. */
  radius: number;
  title?: string;
}

/** One data point. Every marker has an edge, so that those which overlap can be told apart. */
export function marker(x: number, y: number, style: MarkerStyle): Markup {
  const paint = style.filled
    ? { fill: style.colour, stroke: style.background, 'stroke-width': 0.8 }
    : { fill: style.background, stroke: style.colour, 'stroke-width': 1.5 };
  const title = style.title === undefined ? null : element('title', {}, style.title);
  const shape =
    style.shape === 'circle'
      ? element('circle', { cx: x, cy: y, r: style.radius, ...paint })
      : element('path', { d: polygon(x, y, corners(style)), ...paint });
  return title === null ? shape : element('g', {}, title, shape);
}

/** A triangle needs this much more radius than a circle to look as large; a star rather more. */
const TRIANGLE_SCALE = 1.35;
const STAR_SCALE = 1.7;
/** A five-pointed star's inner corners, as a share of its radius. */
const STAR_INNER = 0.45;

function corners({ shape, radius }: MarkerStyle): [number, number][] {
  const count = shape === 'triangle' ? 3 : 10;
  const scale = radius * (shape === 'triangle' ? TRIANGLE_SCALE : STAR_SCALE);
  return Array.from({ length: count }, (_, index) => {
    const distance = shape === 'star' && index % 2 === 1 ? scale * STAR_INNER : scale;
    const angle = (2 * Math.PI * index) / count - Math.PI / 2;
    return [distance * Math.cos(angle), distance * Math.sin(angle)];
  });
}

function polygon(x: number, y: number, points: readonly (readonly [number, number])[]): string {
  return `M${points.map(([dx, dy]) => `${numberText(x + dx)},${numberText(y + dy)}`).join('L')}Z`;
}

export interface ArrowStyle {
  colour: string;
  background: string;
}

/** Shorter than its head, an arrow shows no direction any more. CSS pixels. */
const SHORTEST_ARROW = 6;
const HEAD_LENGTH = 11;
const HEAD_WIDTH = 11;

/** From one point to another, with a rim in the background's colour so that it stands out among the marks; null if the two are as good as one. */
export function arrow(from: Point, to: Point, { colour, background }: ArrowStyle): Markup | null {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length < SHORTEST_ARROW) return null;
  const [ux, uy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const head = Math.min(HEAD_LENGTH, length * 0.6);
  const base = { x: to.x - ux * head, y: to.y - uy * head };
  const half = (HEAD_WIDTH / 2) * (head / HEAD_LENGTH);
  const shaft = { x1: from.x, y1: from.y, x2: base.x, y2: base.y, 'stroke-linecap': 'round' };
  const tip = `M${pair(to.x, to.y)}L${pair(base.x - uy * half, base.y + ux * half)}L${pair(base.x + uy * half, base.y - ux * half)}Z`;
  return element(
    'g',
    {},
    element('line', { ...shaft, stroke: background, 'stroke-width': 7 }),
    element('path', { d: tip, fill: background, stroke: background, 'stroke-width': 4, 'stroke-linejoin': 'round' }),
    element('line', { ...shaft, stroke: colour, 'stroke-width': 3 }),
    element('path', { d: tip, fill: colour, stroke: colour, 'stroke-width': 1, 'stroke-linejoin': 'round' }),
  );
}

export interface Point {
  x: number;
  y: number;
}

function pair(x: number, y: number): string {
  return `${numberText(x)},${numberText(y)}`;
}
