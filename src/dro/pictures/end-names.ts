import { element, type Markup } from '../../formats/markup.ts';
import { type Box, LINE_HEIGHT } from './picture.ts';
import { spread } from './spread.ts';
import { textAt } from './text.ts';
import type { Theme } from './theme.ts';

/** Names lines where they end, at the right of their panel: nobody has to look a colour up. */
export function endNames(ends: readonly { name: string; y: number; colour: string }[], box: Box, theme: Theme): Markup {
  const right = box.x + box.width;
  const places = spread(
    ends.map(({ y }) => y),
    LINE_HEIGHT - 2,
    box.y + 6,
    box.y + box.height - 6,
  );
  const drawn = ends.map(({ name, y, colour }, index) => {
    const place = places[index] ?? y;
    const lead = { x1: right - 1, y1: Math.max(box.y, Math.min(box.y + box.height, y)), x2: right + 8, y2: place };
    return [
      element('line', { ...lead, stroke: colour, 'stroke-width': 1.2 }),
      textAt(right + 11, place, name, { fill: theme.ink }),
    ];
  });
  return element('g', { class: 'names' }, ...drawn);
}
