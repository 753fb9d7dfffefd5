import { type FileHandle, open, readFile } from 'node:fs/promises';
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { QueryCount } from './count-refusals.ts';

const count = Type.Integer({ minimum: 0 });
const checker = Compile(
  Type.Object({
    query: count,
    answers: Type.Integer({ minimum: 1 }),
    refused: count,
    partial: count,
    empty: count,
    tokens: count,
  }),
);

/** The counts of queries as they are finished, a line each: what is there survives whatever ends the process. */
export interface AnswerLog {
  /** By the query's place. */
  readonly counts: ReadonlyMap<number, QueryCount>;
  append(count: QueryCount): Promise<void>;
  close(): Promise<void>;
}

/** Opens `path` and reads what is there. Lines that were torn by a crash, or do not fit `samples`, count as not there. */
export async function openAnswerLog(path: string, samples: number): Promise<AnswerLog> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const counts = new Map<number, QueryCount>();
  for (const line of text.split('\n')) {
    const read = parse(line);
    if (read?.answers === samples) counts.set(read.query, read);
  }
  const file: FileHandle = await open(path, 'a');
  // What a torn line lacks, so that the next one does not become a part of it.
  if (text !== '' && !text.endsWith('\n')) await file.write('\n');
  return {
    counts,
    async append(entry) {
      await file.write(`${JSON.stringify(entry)}\n`);
      counts.set(entry.query, entry);
    },
    close: () => file.close(),
  };
}

function parse(line: string): QueryCount | null {
  try {
    const value: unknown = JSON.parse(line);
    return checker.Check(value) ? value : null;
  } catch {
    return null;
  }
}
