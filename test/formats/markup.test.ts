import fc from 'fast-check';
import t from 'tap';
import { element, markupText } from '../../src/formats/markup.ts';
import { find, parseMarkup, textOf } from '../helpers/parse-markup.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 30 });
/** What is left of a text: no controls, no direction marks, no halves of characters. */
const printable = (text: string) =>
  text.toWellFormed().replace(/[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, '\ufffd');

t.test('whatever a text holds, it is read as the text of its element, and as nothing else', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.oneof(anyText, fc.constant('</b><script>"&amp;]]>')), (text) => {
        const root = parseMarkup(markupText(element('p', { title: text }, element('b', {}, text), text)));
        const [bold] = find(root, 'b');
        return (
          textOf(bold) === printable(text) &&
          textOf(root) === printable(text) + printable(text) &&
          // XML reads white space in attributes as blanks.
          root.getAttribute('title') === printable(text).replace(/[\t\n]/g, ' ')
        );
      }),
    ),
  );
});

t.test('numbers are rounded to a hundredth, and must be finite', async (t) => {
  t.equal(markupText(element('circle', { r: 1 / 3, cx: -1e-9, cy: undefined })), '<circle r="0.33" cx="0"/>');
  t.throws(() => element('circle', { r: Number.NaN }), /cannot hold the number NaN/);
  t.throws(() => element('b', {}, Number.POSITIVE_INFINITY), /cannot hold the number Infinity/);
});

t.test('only elements that HTML closes by itself are written so', async (t) => {
  t.equal(markupText(element('td', {})), '<td></td>');
  t.equal(markupText(element('meta', { charset: 'utf-8' })), '<meta charset="utf-8"/>');
});
