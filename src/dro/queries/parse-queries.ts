import { PreambleError, toError } from '../../errors.ts';
import { parseCsv } from '../../formats/csv.ts';
import { findDuplicateJsonKey } from '../../formats/duplicate-json-keys.ts';
import { quoteName } from '../../formats/quote-name.ts';
import { isQuery, type Query, type QueryFault, type QueryLabel, queryFields, toQuery } from './query.ts';

/** In one file. DRO trains on some hundred; every pair is compared for near-duplicates, which takes a few seconds with this many. */
export const MAX_QUERIES = 10_000;

export type QueryFormat = 'jsonl' | 'csv' | 'text';

export interface ParseOptions {
  format: QueryFormat;
  /** What the file is called in messages. */
  path: string;
  /** Ids of queries that have none are made of this and the line: `train:12`. */
  name: string;
  /** For lines that do not bring their own. */
  label?: QueryLabel | undefined;
}

/** What a file holds, and every line of it that is no query. */
export interface ParsedQueries {
  queries: Query[];
  faults: QueryFault[];
}

interface Line {
  line: number;
  record: unknown;
}

interface Lines {
  lines: Iterable<Line | QueryFault>;
}

/**
 * JSON Lines, CSV with a heading, or plain text with one query a line; blank lines are left out in all three. A line that is no query is
 * a fault and the others are read; a file that cannot be read as a whole throws `format_invalid`.
 */
export function parseQueries(text: string, options: ParseOptions): ParsedQueries {
  const { format, path, name, label } = options;
  const content = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  const result: ParsedQueries = { queries: [], faults: [] };
  let count = 0;
  for (const entry of readers[format](content, path).lines) {
    if (++count > MAX_QUERIES) {
      throw invalidQueries(path, `it has more than ${MAX_QUERIES} queries`, 'Take a sample of them.');
    }
    const { line } = entry;
    const query = 'kind' in entry ? entry : toQuery(entry.record, line, { label, id: `${name}:${line}` });
    if (isQuery(query)) result.queries.push(query);
    else result.faults.push(query);
  }
  if (count === 0) throw invalidQueries(path, 'it holds no query', 'Put one query on each line.');
  return result;
}

export function invalidQueries(path: string, what: string, action: string, cause?: unknown): PreambleError {
  return new PreambleError('format_invalid', `Cannot read queries from ${path}: ${what}.`, { action, cause });
}

const readers: Record<QueryFormat, (text: string, path: string) => Lines> = {
  text: (text) => ({ lines: linesOf(text).map(({ line, content }) => ({ line, record: { text: content } })) }),
  jsonl: (text) => ({ lines: linesOf(text).map(({ line, content }) => jsonLine(line, content)) }),
  csv: readCsv,
};

function linesOf(text: string): { line: number; content: string }[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((content, index) => ({ line: index + 1, content }))
    .filter(({ content }) => content.trim() !== '');
}

function jsonLine(line: number, content: string): Line | QueryFault {
  let record: unknown;
  try {
    record = JSON.parse(content);
  } catch (error) {
    return { line, kind: 'invalid', problem: `it is not JSON (${oneLine(toError(error).message)})` };
  }
  const duplicate = findDuplicateJsonKey(content);
  if (duplicate !== null) return { line, kind: 'invalid', problem: `it holds the key ${quoteName(duplicate)} twice` };
  return { line, record };
}

function readCsv(text: string, path: string): Lines {
  const { records, fault } = parseCsv(text);
  const [heading, ...rows] = records;
  const columns = heading?.fields.map((field) => field.trim()) ?? [];
  if (heading !== undefined) checkColumns(columns, path);
  const lines: (Line | QueryFault)[] = rows.map(({ line, fields }) => {
    if (fields.length !== columns.length) {
      const problem = `it has ${fields.length} fields, the heading has ${columns.length}; a comma in a text needs quotes`;
      return { line, kind: 'invalid', problem };
    }
    const cells = columns.map((column, index) => [column, fields[index]?.trim() ?? ''] as const);
    // An empty cell is a field that is not given; an empty text is a fault that toQuery tells.
    return { line, record: Object.fromEntries(cells.filter(([column, cell]) => column === 'text' || cell !== '')) };
  });
  if (fault !== null) lines.push({ ...fault, kind: 'invalid' });
  return { lines };
}

function checkColumns(columns: readonly string[], path: string): void {
  const action = `Its first line must name its columns: text,label, and if you like ${queryFields.slice(2).join(', ')}.`;
  const unknown = columns.find((column) => !queryFields.includes(column));
  if (unknown !== undefined) throw invalidQueries(path, `it has the column ${quoteName(unknown)}`, action);
  if (!columns.includes('text')) throw invalidQueries(path, 'it has no column text', action);
  if (new Set(columns).size !== columns.length) throw invalidQueries(path, 'it has a column twice', action);
}

/** The parser's message quotes what it met, which may be anything. */
function oneLine(message: string): string {
  return quoteName(message).slice(1, -1);
}
