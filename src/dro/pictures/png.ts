import { createRequire } from 'node:module';
import { renderAsync } from '@resvg/resvg-js';
import { type Markup, markupText } from '../../formats/markup.ts';

/** Inter comes with the package, so that a picture has its letters on a machine without fonts, and the same ones everywhere. */
const require = createRequire(import.meta.url);
const FONT_FILES = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'].map((file) =>
  require.resolve(`@expo-google-fonts/inter/${file}`),
);
/** Letters that Inter has; for others the system's fonts are searched, which takes long where there are many. */
const IN_INTER = /^[\t\n -\u052f\u1e00-\u1fff\u2000-\u22ff\ufffd]*$/u;

/** Pixels of the file for one CSS pixel: sharp on today's screens, and in print at a column's width. */
const SCALE = 2;

/** A PNG file of a picture that was painted with a theme of its own colours, not with `pageTheme`. */
export async function renderPng(svg: Markup): Promise<Buffer> {
  const text = markupText(svg);
  const rendered = await renderAsync(text, {
    fitTo: { mode: 'zoom', value: SCALE },
    font: { fontFiles: FONT_FILES, loadSystemFonts: !IN_INTER.test(text), defaultFontFamily: 'Inter' },
  });
  return rendered.asPng();
}
