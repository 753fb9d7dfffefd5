import type { Point } from './markers.ts';
import type { Box } from './picture.ts';
import { textWidth } from './text.ts';

/** What a label covers only where it has to, and how bad that is. */
export interface Covered {
  readonly at: Point;
  readonly cost: number;
}

export interface SideLabel {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
}

/** CSS pixels, from a stroke's tip. */
const GAP = 5;
/** Half a line's height, with some air. */
const HALF_HEIGHT = 8;
/** CSS pixels. An arrow is as wide as this on both sides of its middle, and a mark about as large. */
const MARGIN = 5;
/** Of an arrow's points: near enough that none lies beyond a letter's width. */
const ARROW_STEP = 4;
/** More than all the marks that one label can cover. */
const ARROW_COST = 1_000;

/**
 * Beside the tip of one of the strokes that point to a boundary's side, within the box: where it covers the fewest marks, and no arrow if that can be.
 * `towards` is the unit vector that the strokes follow. Null where there is no room.
 */
export function placeSideLabel(
  text: string,
  tips: readonly Point[],
  towards: Point,
  box: Box,
  covered: readonly Covered[],
): SideLabel | null {
  const width = textWidth(text);
  const away = towards.x < 0 ? 'end' : 'start';
  // Against the boundary it would run into it, unless that lies nearly flat.
  const isFlat = Math.abs(towards.x) * width < Math.abs(towards.y) * HALF_HEIGHT;
  const anchors: readonly SideLabel['anchor'][] = isFlat ? [away, away === 'end' ? 'start' : 'end'] : [away];
  const [best] = tips
    .flatMap((tip) => anchors.map((anchor) => besides(tip, towards, anchor)))
    .filter((label) => isWithin(boxOf(label, width), box))
    .map((label) => ({ label, cost: costOf(boxOf(label, width), covered) }))
    .sort((a, b) => a.cost - b.cost);
  return best?.label ?? null;
}

/** The points of an arrow that a label should not cover. */
export function alongArrow(from: Point, to: Point): Covered[] {
  const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / ARROW_STEP));
  return Array.from({ length: steps + 1 }, (_, step) => ({
    at: { x: from.x + ((to.x - from.x) * step) / steps, y: from.y + ((to.y - from.y) * step) / steps },
    cost: ARROW_COST,
  }));
}

function besides(tip: Point, towards: Point, anchor: SideLabel['anchor']): SideLabel {
  return { x: tip.x + (anchor === 'end' ? -GAP : GAP), y: tip.y + towards.y * GAP, anchor };
}

function boxOf({ x, y, anchor }: SideLabel, width: number): Box {
  return { x: anchor === 'start' ? x : x - width, y: y - HALF_HEIGHT, width, height: 2 * HALF_HEIGHT };
}

function isWithin(inner: Box, outer: Box): boolean {
  return (
    inner.x > outer.x &&
    inner.x + inner.width < outer.x + outer.width &&
    inner.y > outer.y &&
    inner.y + inner.height < outer.y + outer.height
  );
}

function costOf(box: Box, covered: readonly Covered[]): number {
  return covered
    .filter(
      ({ at }) =>
        at.x > box.x - MARGIN &&
        at.x < box.x + box.width + MARGIN &&
        at.y > box.y - MARGIN &&
        at.y < box.y + box.height + MARGIN,
    )
    .reduce((sum, { cost }) => sum + cost, 0);
}
