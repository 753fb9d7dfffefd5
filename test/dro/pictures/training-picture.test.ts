import t from 'tap';
import { lightTheme } from '../../../src/dro/pictures/theme.ts';
import { type TrainingPictureData, trainingPicture } from '../../../src/dro/pictures/training-picture.ts';
import { markupText } from '../../../src/formats/markup.ts';
import { find, numberOf, parseMarkup, textOf } from '../../helpers/parse-markup.ts';
import { sampleTraining } from './sample-data.ts';

const draw = (data: TrainingPictureData, width = 920) =>
  parseMarkup(markupText(trainingPicture(data, { theme: lightTheme, width })));

t.test('a line for the loss and for each term, each with its name, and a band for each rate', async (t) => {
  const svg = draw(sampleTraining());
  t.equal(find(svg, 'path', 'loss').length, 6);
  t.equal(find(svg, 'path', 'band').length, 2);
  const names = find(svg, 'g', 'names').flatMap((group) => find(group, 'text').map(textOf));
  t.strictSame(
    names.sort(),
    [
      'KL divergence',
      'cross-entropy',
      'harmfulness',
      'harmful refused',
      'harmless refused',
      'kept subspace',
      'loss',
      'refusal',
    ].sort(),
  );
  const dashes = find(svg, 'path', 'loss').map((path) => path.getAttribute('stroke-dasharray'));
  t.ok(new Set(dashes).size >= 5, 'told apart without colours');
});

t.test('the kept step is marked where its measure stands, in both panels', async (t) => {
  for (const width of [920, 340]) {
    const svg = draw(sampleTraining(), width);
    const [chosen] = find(svg, 'g', 'chosen');
    if (chosen === undefined) throw new Error('a mark');
    t.equal(textOf(chosen), 'kept: step 100');
    const lines = find(chosen, 'line').map((line) => numberOf(line, 'x1'));
    t.equal(lines.length, 2);
    const [development] = find(svg, 'g', 'development');
    // The dev split was measured at 0, 20, …: step 100 is the sixth.
    const sixth = development && find(development, 'circle')[5];
    for (const x of lines) t.equal(x, numberOf(sixth, 'cx'));
  }
  t.equal(find(draw({ ...sampleTraining(), chosenStep: null }), 'g', 'chosen').length, 0);
});

t.test('the band of an interval holds its rates', async (t) => {
  const svg = draw(sampleTraining());
  const [, band] = find(svg, 'path', 'band');
  const ys = (band?.getAttribute('d') ?? '').match(/[\d.]+,[\d.]+/g)?.map((pair) => Number(pair.split(',')[1])) ?? [];
  const [development] = find(svg, 'g', 'development');
  const circles = development === undefined ? [] : find(development, 'circle');
  t.equal(ys.length, 2 * circles.length);
  for (const [index, circle] of circles.entries()) {
    const [high = Number.NaN, low = Number.NaN] = [ys[index], ys[ys.length - 1 - index]];
    t.ok(high <= numberOf(circle, 'cy') && numberOf(circle, 'cy') <= low);
  }
});

t.test('a run that diverged keeps the curve that it had', async (t) => {
  const { steps, ...rest } = sampleTraining(100);
  const diverged = steps.map((step, index) =>
    index < 60 ? step : { ...step, loss: Number.NaN, terms: { refusal: Number.POSITIVE_INFINITY } },
  );
  const svg = draw({ ...rest, steps: diverged });
  t.ok((find(svg, 'path', 'loss')[0]?.getAttribute('d') ?? '').split('L').length >= 55);
});

t.test('nothing measured, nothing trained: a picture that says so', async (t) => {
  const svg = draw({ steps: [], development: [], chosenStep: null });
  t.match(textOf(svg), /No step was made.*not measured/s);
});
