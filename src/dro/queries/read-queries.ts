import { basename, extname } from 'node:path';
import { readExactly, withFile } from '../../formats/file-ranges.ts';
import { invalidQueries, type ParsedQueries, parseQueries, type QueryFormat } from './parse-queries.ts';
import type { Query, QueryLabel } from './query.ts';

/** 10,000 queries with their ids, categories and twins; more is another kind of file. */
const MAX_FILE_BYTES = 4 * 2 ** 20;

const formats: Record<string, QueryFormat> = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv', '.txt': 'text' };

/** The queries of one file. */
export interface QueryFile extends ParsedQueries {
  path: string;
  /** The file's name without its ending: `train`. */
  name: string;
}

export interface ReadQueriesOptions {
  /** For lines that do not bring their own; plain text has no other. */
  label?: QueryLabel | undefined;
}

/** Reads a file with its faults, for a check that tells them all. Throws `file_unreadable`, `format_invalid`. */
export async function readQueryFile(path: string, { label }: ReadQueriesOptions = {}): Promise<QueryFile> {
  const ending = extname(path);
  const format = formats[ending.toLowerCase()];
  if (format === undefined) {
    throw invalidQueries(
      path,
      'its name does not tell its format',
      'Name it .jsonl, .csv (columns text,label) or .txt (one query a line).',
    );
  }
  const bytes = await withFile(path, async (file, size) => {
    if (size > MAX_FILE_BYTES) {
      throw invalidQueries(path, `it has ${size} bytes, the most is ${MAX_FILE_BYTES}`, 'Take a sample of them.');
    }
    const content = new Uint8Array(size);
    if (!(await readExactly(file, content, 0))) throw invalidQueries(path, 'it ended while being read', 'Try again.');
    return content;
  });
  const name = basename(path, ending);
  return { path, name, ...parseQueries(decode(bytes, path), { format, path, name, label }) };
}

/** Reads a file that must be right: throws `format_invalid` with the first line that is no query. */
export async function readQueries(path: string, options: ReadQueriesOptions = {}): Promise<Query[]> {
  const { queries, faults } = await readQueryFile(path, options);
  const [first] = faults;
  if (first === undefined) return queries;
  throw invalidQueries(`${path}, line ${first.line}`, first.problem, `Run: preamble queries check ${path}`);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalidQueries(path, 'it is not UTF-8', 'Save it as UTF-8.', error);
  }
}
