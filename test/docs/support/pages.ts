import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lexer, type Token, walkTokens } from 'marked';

/** Of the repository. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Folders whose pages are for readers; the top-level pages are read besides. */
const FOLDERS = ['docs', 'docker', 'prompts'];

export interface Page {
  /** From the root, as `docs/redis.md`. */
  readonly path: string;
  readonly blocks: readonly CodeBlock[];
  /** Code within a line, as it is read. */
  readonly spans: readonly string[];
  /** Where links lead, as they are written. */
  readonly links: readonly string[];
  /** What a link's `#…` can name. */
  readonly anchors: ReadonlySet<string>;
  readonly tables: readonly Table[];
}

export interface CodeBlock {
  /** The heading that it stands under. */
  readonly section: string;
  /** What stands behind an opening fence; empty for an indented block. */
  readonly language: string;
  readonly text: string;
}

export interface Table {
  readonly headings: readonly string[];
  /** Code of each cell. */
  readonly rows: readonly (readonly (readonly string[])[])[];
}

/** Every page of the documentation, read as Markdown. */
export async function readPages(): Promise<Page[]> {
  const nested = await Promise.all(
    FOLDERS.map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true })).map((path) => join(folder, path)),
    ),
  );
  const paths = [...(await readdir(root)), ...nested.flat()].filter((path) => path.endsWith('.md')).sort();
  return await Promise.all(paths.map((path) => readPage(path)));
}

export async function readPage(path: string): Promise<Page> {
  return parsePage(path, await readFile(join(root, path), 'utf8'));
}

function parsePage(path: string, text: string): Page {
  const blocks: CodeBlock[] = [];
  const links: string[] = [];
  const anchors = new Set<string>();
  const tables: Table[] = [];
  let section = '';
  const tokens = lexer(text);
  walkTokens(tokens, (token) => {
    if (token.type === 'code') blocks.push({ section, language: token['lang'] ?? '', text: token['text'] });
    else if (token.type === 'link' || token.type === 'image') links.push(token['href']);
    else if (token.type === 'heading') {
      section = token['text'];
      anchors.add(anchorOf(section));
    } else if (token.type === 'table') {
      tables.push({
        headings: token['header'].map(({ text }: { text: string }) => text),
        rows: token['rows'].map((row: { tokens: Token[] }[]) => row.map((cell) => spansOf(cell.tokens))),
      });
    }
  });
  return { path, blocks, spans: spansOf(tokens), links, anchors, tables };
}

function spansOf(tokens: Token[]): string[] {
  const spans: string[] = [];
  walkTokens(tokens, (token) => {
    if (token.type === 'codespan') spans.push(token['text'].replaceAll('\n', ' '));
  });
  return spans;
}

/** As code hosts make them of a heading: small letters, dashes for blanks, nothing else but letters, digits, dashes and underscores. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
