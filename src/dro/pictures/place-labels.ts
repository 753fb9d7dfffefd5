import type { Point } from './markers.ts';
import type { Box } from './picture.ts';

export interface PlacedLabel {
  /** The mark that it belongs to. */
  at: Point;
  width: number;
  height: number;
}

/** Where a label may stand around its mark, in this order: by how far it lies to the right (1) or left (-1), and below or above. */
const SIDES: readonly (readonly [number, number])[] = [
  [1, 0],
  [1, -0.8],
  [1, 0.8],
  [-1, 0],
  [-1, -0.8],
  [-1, 0.8],
  [0, -1],
  [0, 1],
];

/**
 * For each label the first place beside its mark that lies within the box and covers neither a mark nor a label that was placed before; null
 * where there is none: a name that cannot be read is better left out.
 */
export function placeLabels(
  labels: readonly PlacedLabel[],
  marks: readonly Point[],
  radius: number,
  box: Box,
): (Box | null)[] {
  const taken: Box[] = marks.map(({ x, y }) => ({
    x: x - radius,
    y: y - radius,
    width: 2 * radius,
    height: 2 * radius,
  }));
  return labels.map((label) => {
    const place = SIDES.map((side) => besides(label, side, radius)).find(
      (candidate) => isWithin(candidate, box) && !taken.some((other) => overlap(candidate, other)),
    );
    if (place !== undefined) taken.push(place);
    return place ?? null;
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
