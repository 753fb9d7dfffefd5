import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { darkTheme, lightTheme, themeVariables } from '../dro/pictures/theme.ts';

export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
  /** A browser that has these bytes already is not sent them again; one that has others never keeps them. */
  readonly tag: string;
}

const scripts = ['page', 'charts', 'tooltip', 'lines', 'morph', 'stream'] as const;

/** The colours that the pictures of reports have too, then the page's own rules. */
const colours = `:root{${themeVariables(lightTheme)}}
@media (prefers-color-scheme:dark){:root{${themeVariables(darkTheme)}}}
`;

/** All that the page loads, as it lies in the package and in uPlot's: nothing is built, and nothing comes from elsewhere. */
export async function readAssets(): Promise<readonly Asset[]> {
  const own = (name: string) => readFile(new URL(`browser/${name}`, import.meta.url), 'utf8');
  const foreign = (name: string) => readFile(new URL(import.meta.resolve(`uplot/dist/${name}`)), 'utf8');
  return await Promise.all([
    ...scripts.map(async (name) => javascript(`${name}.js`, await own(`${name}.js`))),
    foreign('uPlot.esm.js').then((text) => javascript('uplot.js', text)),
    foreign('uPlot.min.css').then((text) => css('uplot.css', text)),
    own('style.css').then((text) => css('style.css', colours + text)),
  ]);
}

function javascript(name: string, text: string): Asset {
  return asset(name, 'text/javascript; charset=utf-8', text);
}

function css(name: string, text: string): Asset {
  return asset(name, 'text/css; charset=utf-8', text);
}

function asset(name: string, type: string, text: string): Asset {
  const tag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  return { path: `/dashboard/assets/${name}`, type, text, tag };
}
