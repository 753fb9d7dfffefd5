import { element, type Markup } from '../../formats/markup.ts';
import type { NumberScale } from './axes.ts';
import type { FrontierSetting } from './frontier-picture.ts';
import type { Box } from './picture.ts';
import { type Obstacles, placeLabels } from './place-labels.ts';
import { fitText, textAt, textWidth } from './text.ts';
import type { Theme } from './theme.ts';

/** Where settings lie: harmless queries refused to the right, harmful ones up. */
export interface Plane {
  box: Box;
  x: NumberScale;
  y: NumberScale;
  theme: Theme;
}

const WIDEST_LABEL = 150;
const LABEL_HEIGHT = 14;
/** With more settings than this, only those on the frontier are named: the others' names would hide the marks. */
const NAMED_ALL = 24;

/** The settings' names beside their marks, as far as there is room; those that matter most choose their places first. */
export function frontierNames(
  settings: readonly FrontierSetting[],
  frontier: readonly FrontierSetting[],
  { x, y, box, theme }: Plane,
  { radius, solid, thin }: Obstacles & { radius: number },
): Markup {
  const rank = (setting: FrontierSetting) => (setting.chosen ? 0 : frontier.includes(setting) ? 1 : 2);
  const position = (setting: FrontierSetting) => ({
    x: x(setting.harmlessRefused.rate),
    y: y(setting.harmfulRefused.rate),
  });
  const labels = settings
    .filter((setting) => settings.length <= NAMED_ALL || rank(setting) < 2)
    .sort((a, b) => rank(a) - rank(b))
    .map((setting) => {
      const weight = setting.chosen ? (600 as const) : (400 as const);
      const text = fitText(setting.name, WIDEST_LABEL, { weight });
      return { at: position(setting), text, weight, width: textWidth(text, { weight }), height: LABEL_HEIGHT };
    });
  const marks = settings.map(position).map((at) => ({
    x: at.x - radius,
    y: at.y - radius,
    width: 2 * radius,
    height: 2 * radius,
  }));
  const places = placeLabels(labels, { solid: [...solid, ...marks], thin }, radius, box);
  const drawn = labels.map(({ text, weight }, index) => {
    const place = places[index] ?? null;
    if (place === null) return null;
    const middle = { x: place.x + place.width / 2, y: place.y + place.height / 2 };
    return textAt(middle.x, middle.y, text, { anchor: 'middle', weight, halo: theme.background });
  });
  return element('g', { class: 'names' }, ...drawn);
}
