import fc from 'fast-check';
import t from 'tap';
import { anchorsPicture } from '../../../src/dro/pictures/anchors-picture.ts';
import { evaluationPicture } from '../../../src/dro/pictures/evaluation-picture.ts';
import { frontierPicture } from '../../../src/dro/pictures/frontier-picture.ts';
import { NARROW, type PictureStyle, svgFile, WIDE } from '../../../src/dro/pictures/picture.ts';
import { darkTheme, lightTheme, pageTheme } from '../../../src/dro/pictures/theme.ts';
import { trainingPicture } from '../../../src/dro/pictures/training-picture.ts';
import type { Markup } from '../../../src/formats/markup.ts';
import { parseMarkup } from '../../helpers/parse-markup.ts';

/** Also NaN, infinities, and the largest and smallest numbers there are. */
const anyNumber = fc.oneof(fc.double(), fc.integer({ min: -5, max: 5 }));
const anyName = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constant('"/><script>alert(1)</script>'));
const share = fc.oneof(
  { weight: 5, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);
const rate = fc.record({ rate: share, low: share, high: share, n: fc.nat() });
const style: fc.Arbitrary<PictureStyle> = fc.record({
  theme: fc.constantFrom(lightTheme, darkTheme, pageTheme),
  width: fc.constantFrom(WIDE, NARROW),
});

const runs = { numRuns: 60 };

/** Well-formed, without a script, and no number in it that is none. */
function isSound(svg: Markup): boolean {
  const text = svgFile(svg);
  const root = parseMarkup(text);
  return root.getElementsByTagName('script').length === 0 && !/="[^"]*(NaN|Infinity)/.test(text);
}

t.test('the anchors, whatever the states and probes are', async (t) => {
  const weights = fc.array(anyNumber, { minLength: 0, maxLength: 4 });
  const probe = fc.record({ weights, bias: anyNumber });
  const panel = fc.record({
    title: anyName,
    states: fc.array(anyNumber, { maxLength: 12 }),
    refusalFractions: fc.array(share, { maxLength: 6 }),
  });
  const data = fc.record({
    directions: fc.record({
      hiddenSize: fc.constant(2),
      mean: fc.tuple(anyNumber, anyNumber),
      basis: fc.constant([1, 0, 0, 1]),
      refusal: probe,
      harmfulness: probe,
    }),
    labels: fc.array(fc.constantFrom('harmful' as const, 'harmless' as const), { maxLength: 6 }),
    panels: fc.array(panel, { maxLength: 3 }),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(data, style, (data, style) => isSound(anchorsPicture(data, style))),
      runs,
    ),
  );
});

t.test('the training curve, whatever the metrics are', async (t) => {
  const steps = fc.array(
    fc.record({ step: anyNumber, loss: anyNumber, terms: fc.dictionary(anyName, anyNumber, { maxKeys: 4 }) }),
    { maxLength: 60 },
  );
  const development = fc.array(fc.record({ step: anyNumber, harmfulRefused: rate, harmlessRefused: rate }), {
    maxLength: 4,
  });
  const data = fc.record({ steps, development, chosenStep: fc.option(anyNumber) });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(data, style, (data, style) => isSound(trainingPicture(data, style))),
      runs,
    ),
  );
});

t.test('the evaluation and the frontier, whatever the names and rates are', async (t) => {
  const conditions = fc.array(
    fc.record({ name: anyName, harmfulAnswered: rate, harmlessRefused: rate, highlighted: fc.boolean() }),
    { maxLength: 5 },
  );
  const settings = fc.array(
    fc.record({ name: anyName, harmfulRefused: rate, harmlessRefused: rate, chosen: fc.boolean() }),
    { maxLength: 30 },
  );
  const target = fc.record({
    harmfulRefused: fc.double({ min: 0, max: 1, noNaN: true }),
    harmlessRefused: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyName, conditions, settings, target, style, (set, conditions, settings, target, style) => {
        return (
          isSound(evaluationPicture({ set, conditions }, style)) &&
          isSound(frontierPicture({ settings, target }, style))
        );
      }),
      runs,
    ),
  );
});
