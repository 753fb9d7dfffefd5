import t from 'tap';
import { evaluationPicture } from '../../../src/dro/pictures/evaluation-picture.ts';
import { lightTheme } from '../../../src/dro/pictures/theme.ts';
import { markupText } from '../../../src/formats/markup.ts';
import { type Element, find, numberOf, parseMarkup, textOf } from '../../helpers/parse-markup.ts';
import { sampleEvaluation } from './sample-data.ts';

const data = sampleEvaluation();
const draw = (width: number) => parseMarkup(markupText(evaluationPicture(data, { theme: lightTheme, width })));
/** The line from one end of an interval to the other. */
const whisker = (row: Element | undefined) =>
  row && find(row, 'line').find((line) => line.getAttribute('y1') === line.getAttribute('y2'));

t.test('rates and the ends of their intervals stand where they are on the scale', async (t) => {
  for (const width of [920, 340]) {
    const [harmful, harmlessPanel] = find(draw(width), 'g', 'measure');
    if (harmful === undefined || harmlessPanel === undefined) throw new Error('two panels');
    const rows = find(harmlessPanel, 'g', 'condition');
    t.equal(rows.length, data.conditions.length);
    t.equal(find(harmful, 'g', 'condition').length, data.conditions.length);
    const at = (row: Element | undefined) => numberOf(row && find(row, 'circle')[0], 'cx');
    // 0% and 46% fix the scale.
    const scale = (share: number) => at(rows[0]) + ((at(rows[3]) - at(rows[0])) / 0.46) * share;
    for (const [index, { harmlessRefused }] of data.conditions.entries()) {
      t.ok(Math.abs(at(rows[index]) - scale(harmlessRefused.rate)) < 0.1);
      t.ok(Math.abs(numberOf(whisker(rows[index]), 'x1') - scale(harmlessRefused.low)) < 0.1);
      t.ok(Math.abs(numberOf(whisker(rows[index]), 'x2') - scale(harmlessRefused.high)) < 0.1);
    }
    const [target] = find(harmlessPanel, 'g', 'target');
    t.ok(Math.abs(numberOf(target && find(target, 'line')[0], 'x1') - scale(0.05)) < 0.1);
    t.match(textOf(target), 'target ≤ 5%');
  }
});

t.test('the figures stand beside, and the whole is told in words', async (t) => {
  const svg = draw(920);
  t.match(textOf(find(svg, 'g', 'measure')[0]), '12.0% (7.0 to 19.8)');
  t.match(textOf(find(svg, 'desc')[0]), /vPT: 40\.0% \(30\.9 to 49\.8\) of the harmful queries answered/);
});

t.test('a condition that was not measured says so', async (t) => {
  const nothing = { rate: Number.NaN, low: Number.NaN, high: Number.NaN, n: 0 };
  const condition = { name: 'none', harmfulAnswered: nothing, harmlessRefused: nothing, highlighted: true };
  const svg = parseMarkup(
    markupText(evaluationPicture({ set: 'a set', conditions: [condition] }, { theme: lightTheme, width: 920 })),
  );
  t.match(textOf(find(svg, 'g', 'measure')[1]), 'not measured');
  t.match(textOf(find(svg, 'desc')[0]), 'not measured');
});

t.test('queries of one kind only have one panel', async (t) => {
  const nothing = { rate: Number.NaN, low: Number.NaN, high: Number.NaN, n: 0 };
  const conditions = data.conditions.map((condition) => ({ ...condition, harmfulAnswered: nothing }));
  for (const width of [920, 340]) {
    const svg = parseMarkup(markupText(evaluationPicture({ ...data, conditions }, { theme: lightTheme, width })));
    const panels = find(svg, 'g', 'measure');
    t.equal(panels.length, 1);
    t.match(textOf(panels[0]), 'Harmless queries refused');
    t.notMatch(textOf(find(svg, 'desc')[0]), 'harmful');
    t.ok(numberOf(svg, 'height') < numberOf(draw(width), 'height') || width > 640);
  }
});
