import { element, type Markup, type MarkupChild } from '../../formats/markup.ts';
import { NARROW, type PictureStyle, WIDE } from '../pictures/picture.ts';
import { pageTheme } from '../pictures/theme.ts';
import type { Facts } from './report-data.ts';

export interface Section {
  id: string;
  title: string;
  content: readonly MarkupChild[];
}

export function renderSection({ id, title, content }: Section): Markup {
  return element(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    ...content,
  );
}

/** A picture in both widths, of which the style sheet shows one: letters stay legible on a phone. */
export function renderFigure(draw: (style: PictureStyle) => Markup, caption: string): Markup {
  const drawn = (kind: string, width: number) => element('div', { class: kind }, draw({ theme: pageTheme, width }));
  return element('figure', {}, drawn('wide', WIDE), drawn('narrow', NARROW), element('figcaption', {}, caption));
}

export function renderFacts(caption: string, facts: Facts): Markup {
  const rows = Object.entries(facts).map(([name, value]) =>
    element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, factText(value))),
  );
  return element('table', { class: 'facts' }, element('caption', {}, caption), element('tbody', {}, ...rows));
}

function factText(value: Facts[string] | undefined): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

export interface Column<Row> {
  heading: string;
  /** Aligned at the right. */
  numeric?: boolean;
  kind?: (row: Row) => string | undefined;
  cell: (row: Row) => MarkupChild;
}

export interface TableRows<Row> {
  /** What the table shows, for its caption and its region's name. */
  caption: string;
  rows: readonly Row[];
  /** The first one's cells are the rows' headings. */
  columns: readonly Column<Row>[];
  isHighlighted?: (row: Row) => boolean;
  /** Tells a row from others where the page changes while it is read. */
  keyOf?: (row: Row) => string;
}

/** A table that scrolls by itself where the page is narrower; it can be reached with the keyboard to do so. */
export function renderTable<Row>({ caption, rows, columns, isHighlighted, keyOf }: TableRows<Row>): Markup {
  const headings = columns.map(({ heading, numeric }) =>
    element('th', { scope: 'col', class: numeric ? 'number' : undefined }, heading),
  );
  const body = rows.map((row) =>
    element(
      'tr',
      { class: isHighlighted?.(row) ? 'highlighted' : undefined, 'data-key': keyOf?.(row) },
      ...columns.map((column, index) => renderCell(column, row, index === 0)),
    ),
  );
  return element(
    'div',
    { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': caption },
    element(
      'table',
      {},
      element('caption', {}, caption),
      element('thead', {}, element('tr', {}, ...headings)),
      element('tbody', {}, ...body),
    ),
  );
}

function renderCell<Row>(column: Column<Row>, row: Row, isFirst: boolean): Markup {
  const kinds = [column.numeric ? 'number' : undefined, column.kind?.(row)].filter((kind) => kind !== undefined);
  const attributes = { class: kinds.length === 0 ? undefined : kinds.join(' ') };
  return isFirst
    ? element('th', { scope: 'row', ...attributes }, column.cell(row))
    : element('td', attributes, column.cell(row));
}
