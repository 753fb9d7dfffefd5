import { DOMParser, type Element } from '@xmldom/xmldom';

export type { Element };

/** The root of markup that must be well-formed XML; anything else throws. */
export function parseMarkup(text: string): Element {
  const parser = new DOMParser({
    onError: (level, message) => {
      // U+FFFD is what unprintable characters are replaced with.
      if (level === 'warning' && message.includes('replacement character')) return;
      throw new Error(`${level}: ${message}`);
    },
  });
  const root = parser.parseFromString(text, 'text/xml').documentElement;
  if (root === null) throw new Error('no root');
  return root;
}

/** The elements of a name within another, of one class if it is given. */
export function find(within: Element, name: string, kind?: string): Element[] {
  return [...within.getElementsByTagName(name)].filter(
    (element) => kind === undefined || (element.getAttribute('class') ?? '').split(' ').includes(kind),
  );
}

/** An attribute that holds a number. */
export function numberOf(element: Element | undefined, attribute: string): number {
  return Number(element?.getAttribute(attribute) ?? Number.NaN);
}

export function textOf(element: Element | undefined): string {
  return element?.textContent ?? '';
}
