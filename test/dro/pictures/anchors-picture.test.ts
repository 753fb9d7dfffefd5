import t from 'tap';
import { anchorsPicture } from '../../../src/dro/pictures/anchors-picture.ts';
import { viewAnchors } from '../../../src/dro/pictures/anchors-view.ts';
import { lightTheme } from '../../../src/dro/pictures/theme.ts';
import { markupText } from '../../../src/formats/markup.ts';
import { type Element, find, numberOf, parseMarkup, textOf } from '../../helpers/parse-markup.ts';
import { sampleAnchors } from './sample-data.ts';

const data = sampleAnchors(40);
const view = viewAnchors(data);
const draw = (width: number) => parseMarkup(markupText(anchorsPicture(data, { theme: lightTheme, width })));
const [circles, { harmless }] = [(panel: Element) => find(panel, 'circle'), lightTheme];

t.test('every query is a mark in every panel: circles for the harmless, full where most answers refused', async (t) => {
  for (const width of [920, 340]) {
    const panels = find(draw(width), 'g', 'panel');
    t.equal(panels.length, 2);
    for (const [index, panel] of panels.entries()) {
      const points = view.panels[index]?.points ?? [];
      const refused = points.filter((point) => point.label === 'harmless' && point.refused);
      t.equal(circles(panel).length, 40);
      t.equal(circles(panel).filter((circle) => circle.getAttribute('fill') === harmless).length, refused.length);
      const triangles = find(panel, 'path').filter((path) => (path.getAttribute('d') ?? '').split('L').length === 3);
      // Two arrow heads, each drawn with its rim, in the second.
      t.equal(triangles.length, 40 + (index === 0 ? 0 : 4));
    }
  }
});

t.test('positions are linear in the principal components, the same in both panels', async (t) => {
  const [first, second] = find(draw(920), 'g', 'panel');
  if (first === undefined || second === undefined) throw new Error('two panels');
  const own = view.panels.map(({ points }) => points.filter((point) => point.label === 'harmless'));
  const at = (panel: Element, index: number) => numberOf(circles(panel)[index], 'cx');
  const slope = (at(first, 1) - at(first, 0)) / ((own[0]?.[1]?.x ?? 0) - (own[0]?.[0]?.x ?? 0));
  t.ok(slope > 0);
  const shift = at(second, 0) - at(first, 0) - slope * ((own[1]?.[0]?.x ?? 0) - (own[0]?.[0]?.x ?? 0));
  for (const index of [1, 2, 39]) {
    const expected = at(first, index) + shift + slope * ((own[1]?.[index]?.x ?? 0) - (own[0]?.[index]?.x ?? 0));
    t.ok(Math.abs(at(second, index) - expected) < 0.1);
  }
});

t.test('the harmfulness boundary is dashed and runs between the two kinds', async (t) => {
  const [panel] = find(draw(920), 'g', 'panel');
  if (panel === undefined) throw new Error('a panel');
  const [refusal, harmfulness] = find(panel, 'g', 'boundary');
  t.ok(textOf(refusal).includes('refused') && textOf(harmfulness).includes('harmful'));
  const line = harmfulness && find(harmfulness, 'line').find((each) => each.hasAttribute('stroke-dasharray'));
  const middle = (numberOf(line, 'x1') + numberOf(line, 'x2')) / 2;
  const right = circles(panel).filter((circle) => numberOf(circle, 'cx') > middle);
  t.ok(right.length < 10, 'harmless queries lie at its left');
});

t.test('the means move as the clouds do', async (t) => {
  const moves = new Map(view.panels[1]?.moves.map((move) => [move.label, move]));
  t.strictSame(view.panels[0]?.moves, []);
  const harmful = moves.get('harmful');
  t.ok(harmful && Math.abs(harmful.to.y - harmful.from.y - 4) < 1);
});

t.test('states that are no numbers are left out, and a query without a label', async (t) => {
  const states = Float32Array.from(data.panels[0]?.states ?? []);
  states[0] = Number.NaN;
  const [panel] = data.panels;
  if (panel === undefined) throw new Error('a panel');
  const broken = viewAnchors({ ...data, labels: data.labels.slice(0, -1), panels: [{ ...panel, states }] });
  t.equal(broken.panels[0]?.points.length, 78);
});
