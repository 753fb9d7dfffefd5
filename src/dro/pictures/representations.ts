import type { PromptRepresentations } from '../../prompts/manifest.ts';
import { type AnchorPoint, type AnchorsView, anchorGroups, movesBetween } from './anchors-view.ts';
import { isDrawable } from './picture.ts';

/** Queries of one kind and panel: more marks would cover each other. */
const MAX_MARKS = 1_000;
/** Of a coordinate; a picture's width has fewer pixels. */
const DIGITS = 5;

/** What a manifest keeps of the anchors: positions in the plane, in place of states of thousands of numbers each. Pure. */
export function representationsOf({ panels, boundaries, variance }: AnchorsView): PromptRepresentations {
  const [first, second] = variance;
  const line = ({ a, b, c }: AnchorsView['boundaries']['refusal']) => ({ a: rounded(a), b: rounded(b), c: rounded(c) });
  return {
    ...(Number.isFinite(first) && Number.isFinite(second) ? { variance: [rounded(first), rounded(second)] } : {}),
    boundaries: { refusal: line(boundaries.refusal), harmfulness: line(boundaries.harmfulness) },
    panels: panels.map(({ title, points }) => ({
      title,
      groups: anchorGroups.map(({ label, refused }) => {
        const own = thinned(points.filter((point) => point.label === label && point.refused === refused));
        return { label, refused, x: own.map(({ x }) => rounded(x)), y: own.map(({ y }) => rounded(y)) };
      }),
    })),
  };
}

/** The view that such positions were made from. Pure. */
export function viewRepresentations({ panels, boundaries, variance }: PromptRepresentations): AnchorsView {
  const points = panels.map(({ groups }) => mixed(groups));
  return {
    panels: panels.map(({ title }, index) => ({
      title,
      points: points[index] ?? [],
      moves: index === 0 ? [] : movesBetween(points[0] ?? [], points[index] ?? []),
    })),
    boundaries,
    variance: variance ?? [Number.NaN, Number.NaN],
  };
}

/** Groups take turns: were one drawn after the other, the last would hide the first. */
function mixed(groups: PromptRepresentations['panels'][number]['groups']): AnchorPoint[] {
  return groups
    .flatMap(({ label, refused, x: xs, y: ys }) =>
      xs.slice(0, ys.length).map((x, index) => ({
        point: { label, refused, x, y: ys[index] ?? Number.NaN },
        turn: (index + 0.5) / xs.length,
      })),
    )
    .filter(({ point }) => isDrawable(point.x, point.y))
    .sort((a, b) => a.turn - b.turn)
    .map(({ point }) => point);
}

function thinned(points: readonly AnchorPoint[]): AnchorPoint[] {
  const stride = Math.max(1, Math.ceil(points.length / MAX_MARKS));
  return points.filter((_, index) => index % stride === 0);
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
