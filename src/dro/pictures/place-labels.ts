import type { Point } from './markers.ts';
import type { Box } from './picture.ts';

export interface PlacedLabel {
  /** The mark that it belongs to. */
  at: Point;
  width: number;
  height: number;
}

/** Where a label may stand around its mark, the best first: by how far it lies to the right (1) or left (-1), and below or above. */
const SIDES: readonly (readonly [number, number])[] = [
  [1, 0],
  [1, -1],
  [1, 1],
  [-1, -1],
  [-1, 1],
  [-1, 0],
  [0, -1.4],
  [0, 1.4],
];

export interface Obstacles {
  /** Never covered: marks, other texts. */
  solid: readonly Box[];
  /** Covered as little as can be: lines. */
  thin: readonly Box[];
}

/**
 * For each label the place beside its mark that lies within the box, covers nothing solid nor a label that was placed before, and crosses the
 * fewest lines; null where there is none: a name that cannot be read is better left out.
 */
export function placeLabels(
  labels: readonly PlacedLabel[],
  { solid, thin }: Obstacles,
  radius: number,
  box: Box,
): (Box | null)[] {
  const taken = [...solid];
  return labels.map((label) => {
    const [best] = SIDES.map((side) => besides(label, side, radius))
      .filter((place) => isWithin(place, box) && !taken.some((other) => overlap(place, other)))
      .map((place) => ({ place, crossed: thin.filter((line) => overlap(place, line)).length }))
      .sort((a, b) => a.crossed - b.crossed);
    if (best === undefined) return null;
    taken.push(best.place);
    return best.place;
  });
}

function besides({ at, width, height }: PlacedLabel, [dx, dy]: readonly [number, number], radius: number): Box {
  const gap = radius + 2;
  const x = dx === 0 ? at.x - width / 2 : dx > 0 ? at.x + gap : at.x - gap - width;
  return { x, y: at.y - height / 2 + dy * (gap + height / 2), width, height };
}

function isWithin(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
