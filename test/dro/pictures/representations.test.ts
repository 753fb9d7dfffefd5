import t from 'tap';
import { anchorsPicture, anchorsViewPicture } from '../../../src/dro/pictures/anchors-picture.ts';
import { viewAnchors } from '../../../src/dro/pictures/anchors-view.ts';
import { representationsOf, viewRepresentations } from '../../../src/dro/pictures/representations.ts';
import { lightTheme } from '../../../src/dro/pictures/theme.ts';
import { markupText } from '../../../src/formats/markup.ts';
import { type PromptManifest, parseManifest } from '../../../src/prompts/manifest.ts';
import { find, numberOf, parseMarkup, textOf } from '../../helpers/parse-markup.ts';
import { content } from '../../prompts/support/tiny.ts';
import { sampleAnchors } from './sample-data.ts';

const style = { theme: lightTheme, width: 920 };

t.test('the picture of what a manifest keeps is the picture of the states', async (t) => {
  const data = sampleAnchors(60);
  const whole = parseMarkup(markupText(anchorsPicture(data, style)));
  const kept = representationsOf(viewAnchors(data));
  const again = parseMarkup(markupText(anchorsViewPicture(viewRepresentations(kept), style)));
  t.equal(textOf(find(again, 'desc')[0]), textOf(find(whole, 'desc')[0]));
  t.strictSame(find(again, 'text').map(textOf), find(whole, 'text').map(textOf), 'axes, names and sides');
  const places = (picture: typeof whole) =>
    find(picture, 'circle')
      .map((circle) => [numberOf(circle, 'cx'), numberOf(circle, 'cy')] as const)
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const [expected, found] = [places(whole), places(again)];
  t.equal(found.length, expected.length);
  for (const [index, [x, y]] of expected.entries()) {
    t.ok(Math.abs((found[index]?.[0] ?? 0) - x) < 0.1 && Math.abs((found[index]?.[1] ?? 0) - y) < 0.1);
  }
  t.equal(find(again, 'g', 'boundary').length, find(whole, 'g', 'boundary').length);
});

t.test('a manifest takes them, and stays small', async (t) => {
  const representations = representationsOf(viewAnchors(sampleAnchors(2_500)));
  const manifest: PromptManifest = {
    format: 'preamble.prompt/1',
    created: '2026-11-24T05:00:00.000Z',
    tensor: { file: 'prompt.safetensors', sha256: 'c'.repeat(64) },
    ...content,
    training: {
      objective: 'dro',
      hyperparameters: {},
      anchors: [],
      seed: 1,
      tool: 'a tool',
      curve: [],
      representations,
    },
  };
  const text = JSON.stringify(manifest);
  t.strictSame(parseManifest(text, 'prompt.json').training?.representations, representations);
  t.ok(text.length < 150_000, `${text.length} characters of 5,000 queries under two prompts`);
});

t.test('numbers that nobody can draw are left out', async (t) => {
  const { boundaries } = representationsOf(viewAnchors(sampleAnchors(3)));
  const groups = [{ label: 'harmful' as const, refused: true, x: [1, 1e300, 2], y: [1, 2] }];
  const view = viewRepresentations({ boundaries, panels: [{ title: 'A', groups }] });
  t.strictSame(view.panels[0]?.points, [{ label: 'harmful', refused: true, x: 1, y: 1 }]);
  t.doesNotThrow(() => anchorsViewPicture(view, style));
  const zero = { a: 0, b: 0, c: 0 };
  const empty = viewRepresentations({ boundaries: { refusal: zero, harmfulness: zero }, panels: [] });
  t.doesNotThrow(() => anchorsViewPicture(empty, style));
});
