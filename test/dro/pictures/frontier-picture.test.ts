import t from 'tap';
import { frontierPicture } from '../../../src/dro/pictures/frontier-picture.ts';
import { lightTheme } from '../../../src/dro/pictures/theme.ts';
import { markupText } from '../../../src/formats/markup.ts';
import { find, numberOf, parseMarkup, textOf } from '../../helpers/parse-markup.ts';
import { sampleFrontier, sampleRate } from './sample-data.ts';

const setting = (name: string, harmful: number, harmless: number, chosen = false) => ({
  name,
  harmfulRefused: sampleRate(harmful, 100),
  harmlessRefused: sampleRate(harmless, 100),
  chosen,
});
const target = { harmfulRefused: 0.85, harmlessRefused: 0.05 };
const draw = (settings: ReturnType<typeof setting>[]) =>
  parseMarkup(markupText(frontierPicture({ settings, target }, { theme: lightTheme, width: 920 })));

t.test('marks stand where their rates are, and the corner begins at the target', async (t) => {
  const svg = draw([
    setting('left', 20, 0),
    setting('right', 90, 40),
    setting('worse', 50, 50),
    setting('star', 88, 5, true),
  ]);
  const circles = find(svg, 'circle');
  t.equal(circles.length, 3);
  const [left, right, worse] = circles.map((circle) => ({ x: numberOf(circle, 'cx'), y: numberOf(circle, 'cy') }));
  if (left === undefined || right === undefined || worse === undefined) throw new Error('three marks');
  const x = (share: number) => left.x + ((right.x - left.x) / 0.4) * share;
  const y = (share: number) => left.y + ((right.y - left.y) / 0.7) * (share - 0.2);
  t.ok(Math.abs(worse.x - x(0.5)) < 0.1 && Math.abs(worse.y - y(0.5)) < 0.1);
  t.ok(right.y < left.y, 'more refused is higher');
  const [corner] = find(svg, 'rect', 'target');
  t.ok(Math.abs(numberOf(corner, 'x') + numberOf(corner, 'width') - x(0.05)) < 0.1);
  t.ok(Math.abs(numberOf(corner, 'y') + numberOf(corner, 'height') - y(0.85)) < 0.1);
  t.strictSame(
    circles.map((circle) => circle.getAttribute('fill')),
    [lightTheme.harmless, lightTheme.harmless, lightTheme.background],
    'full on the frontier',
  );
});

t.test('names that have room stand there, the chosen one first of all', async (t) => {
  const names = (settings: ReturnType<typeof setting>[]) =>
    find(draw(settings), 'g', 'names').flatMap((group) => find(group, 'text').map(textOf));
  t.strictSame(names([setting('a', 10, 20), setting('b', 80, 20, true)]), ['b', 'a']);
  const crowd = Array.from({ length: 60 }, (_, index) => setting(`s${index}`, 50, 50));
  t.strictSame(names([...crowd, setting('kept', 49, 51, true)]).includes('kept'), true);
});

t.test('what was not measured is left out', async (t) => {
  const nothing = { rate: Number.NaN, low: 0, high: 0, n: 0 };
  t.equal(find(draw([{ ...setting('a', 1, 1), harmfulRefused: nothing }]), 'circle').length, 0);
  t.ok(
    find(parseMarkup(markupText(frontierPicture(sampleFrontier(), { theme: lightTheme, width: 340 }))), 'circle')
      .length > 10,
  );
});
