import type { CodeBlock, Page } from './pages.ts';

export interface Example {
  /** A whole `curl` command, as a shell takes it. */
  readonly curl: string;
  /** The JSON that the page shows as its answer; null where it shows none. */
  readonly answer: unknown;
}

/** Where the pages say that the gateway is. */
export const DOCUMENTED_ORIGIN = 'http://127.0.0.1:8080';

/** Questions to the gateway on a page, each with the answer in the next block, or the rest of its own. */
export function examplesOf({ blocks }: Pick<Page, 'blocks'>): Example[] {
  return blocks.flatMap((block, index) => {
    const curls = curlsOf(block);
    return curls.map((curl, place) => {
      const isLast = place === curls.length - 1;
      return { curl, answer: isLast ? answerIn(blocks[index + 1]) : null };
    });
  });
}

function curlsOf({ text }: CodeBlock): string[] {
  const lines = text.replaceAll(/\s*\\\n\s*/g, ' ').split('\n');
  return lines.map((line) => line.replace(/^\$ /, '')).filter((line) => /^curl .*127\.0\.0\.1:8080/.test(line));
}

function answerIn(block: CodeBlock | undefined): unknown {
  if (block === undefined || !block.text.startsWith('{')) return null;
  return JSON.parse(block.text);
}

/** The names and types of a value and all within; of a list, those of its first item. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]): [string, unknown] => [name, shapeOf(inner)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
