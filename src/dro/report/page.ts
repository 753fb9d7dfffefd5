import { createHash } from 'node:crypto';
import { element, type Markup, type MarkupChild, markupText } from '../../formats/markup.ts';

export interface Page {
  title: string;
  /** Style sheets in their order, without characters that HTML would escape: their digests are those of their bytes. */
  styles: readonly string[];
  /** Stands first in the head, and so holds for what follows. */
  metas?: readonly Markup[];
  body: readonly MarkupChild[];
}

/** A whole page that fetches nothing and runs nothing; it reads the same as XML. */
export function renderPage({ title, styles, metas = [], body }: Page): string {
  const page = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      ...metas,
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element('meta', { name: 'color-scheme', content: 'light dark' }),
      element('meta', { name: 'referrer', content: 'no-referrer' }),
      element('title', {}, title),
      ...styles.map((style) => element('style', {}, style)),
    ),
    element('body', {}, ...body),
  );
  return `<!DOCTYPE html>\n${markupText(page)}\n`;
}

/** Nothing may be fetched, sent or run; only these style sheets apply, whatever gets into the page. */
export function pagePolicy(styles: readonly string[]): string {
  const digests = styles.map((style) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  return ["default-src 'none'", `style-src ${digests.join(' ')}`, "base-uri 'none'", "form-action 'none'"].join('; ');
}
