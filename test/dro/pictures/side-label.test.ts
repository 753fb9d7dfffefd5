import t from 'tap';
import { anchorsViewPicture } from '../../../src/dro/pictures/anchors-picture.ts';
import { alongArrow, placeSideLabel } from '../../../src/dro/pictures/side-label.ts';
import { lightTheme } from '../../../src/dro/pictures/theme.ts';
import { markupText } from '../../../src/formats/markup.ts';
import { find, numberOf, parseMarkup, textOf } from '../../helpers/parse-markup.ts';

const box = { x: 0, y: 0, width: 400, height: 300 };
const tips = [
  { x: 20, y: 140 },
  { x: 380, y: 140 },
  { x: 200, y: 140 },
];
const [up, left] = [
  { x: 0, y: -1 },
  { x: -1, y: 0 },
];

t.test('the first stroke that has room for it, on the side that the strokes point to', async (t) => {
  t.strictSame(placeSideLabel('harmful', tips, up, box, []), { x: 25, y: 135, anchor: 'start' });
  t.strictSame(placeSideLabel('harmful', tips, left, box, []), { x: 375, y: 140, anchor: 'end' });
  t.equal(placeSideLabel('harmful', tips, up, { ...box, width: 30 }, []), null);
});

t.test('where it covers the fewest marks, and an arrow only where all places do', async (t) => {
  const marks = Array.from({ length: 50 }, (_, index) => ({ at: { x: 30 + index / 5, y: 135 }, cost: 1 }));
  t.match(placeSideLabel('harmful', tips, up, box, marks), { x: 375, anchor: 'end' });
  const arrow = alongArrow({ x: 300, y: 160 }, { x: 390, y: 110 });
  t.match(placeSideLabel('harmful', tips, up, box, [...marks, ...arrow]), { x: 205, anchor: 'start' });
  const long = alongArrow({ x: 180, y: 135 }, { x: 390, y: 135 });
  t.match(placeSideLabel('harmful', tips, up, box, [...marks, ...long]), { x: 25 }, 'rather over marks');
  t.ok(
    placeSideLabel('harmful', tips, up, box, alongArrow({ x: 0, y: 135 }, { x: 400, y: 135 })),
    'it is named anyway',
  );
});

t.test('the arrows are drawn below it: what is written can be read wherever it stands', async (t) => {
  const group = (label: 'harmful' | 'harmless', x: number) => ({ label, refused: false, x, y: 0 });
  const [before, after] = [
    [group('harmful', -9), group('harmless', 9)],
    [group('harmful', 9), group('harmless', -9)],
  ];
  const moves = [{ label: 'harmful' as const, from: { x: -9, y: 0.4 }, to: { x: 9, y: 0.4 } }];
  const view = {
    panels: [
      { title: 'before', points: before, moves: [] },
      { title: 'after', points: after, moves },
    ],
    boundaries: { refusal: { a: 1, b: 0, c: 0 }, harmfulness: { a: 0, b: 1, c: 0 } },
    variance: [0.5, 0.5] as [number, number],
  };
  const [, panel] = find(
    parseMarkup(markupText(anchorsViewPicture(view, { theme: lightTheme, width: 920 }))),
    'g',
    'panel',
  );
  if (panel === undefined) throw new Error('two panels');
  const drawn = [...panel.getElementsByTagName('*')];
  const arrowAt = drawn.findLastIndex((each) => each.tagName === 'line' && numberOf(each, 'stroke-width') === 3);
  const nameAt = drawn.findIndex((each) => each.tagName === 'text' && textOf(each) === 'harmful');
  t.ok(arrowAt > 0 && nameAt > arrowAt);
});
