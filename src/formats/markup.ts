const content = Symbol('markup');

/** XML that is complete and escaped. Only `element` makes it: no text can stand in a page that was not escaped. */
export interface Markup {
  readonly [content]: string;
}

export type MarkupChild = Markup | string | number | null | readonly MarkupChild[];
/** Numbers must be finite; what is undefined is left out. */
export type MarkupAttributes = Readonly<Record<string, string | number | undefined>>;

/** Written as `<path/>`. HTML reads `<td/>` as a tag that opens, so only its void elements and SVG's leaves stand here. */
const CLOSED_IN_ITSELF: ReadonlySet<string> = new Set(['meta', 'link', 'path', 'circle', 'rect', 'line']);
/** Decimals of a number; a hundredth of a pixel is not seen. */
const DECIMALS = 2;

/** One element that reads the same as SVG, as XML and within HTML. Strings are text: they are escaped. */
export function element(name: string, attributes: MarkupAttributes, ...children: MarkupChild[]): Markup {
  const start = `<${name}${Object.entries(attributes).map(attribute).join('')}`;
  if (CLOSED_IN_ITSELF.has(name)) return { [content]: `${start}/>` };
  return { [content]: `${start}>${children.map(childText).join('')}</${name}>` };
}

export function markupText(markup: Markup): string {
  return markup[content];
}

function attribute([name, value]: [string, string | number | undefined]): string {
  if (value === undefined) return '';
  return ` ${name}="${typeof value === 'number' ? numberText(value) : escapeText(value)}"`;
}

function childText(child: MarkupChild): string {
  if (child === null) return '';
  if (typeof child === 'string') return escapeText(child);
  if (typeof child === 'number') return numberText(child);
  return isList(child) ? child.map(childText).join('') : child[content];
}

function isList(child: Markup | readonly MarkupChild[]): child is readonly MarkupChild[] {
  return Array.isArray(child);
}

/** A NaN in a path makes viewers drop the whole of it without a word; better to hear of it here. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`a picture cannot hold the number ${value}`);
  return String(Number(value.toFixed(DECIMALS)));
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Controls that XML forbids, and marks that turn the direction of what follows them. */
const UNPRINTABLE = /[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(UNPRINTABLE, '\ufffd')
    .replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
