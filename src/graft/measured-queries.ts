import { basename, join } from 'node:path';
import { readQueries } from '../dro/queries/read-queries.ts';
import { sha256OfFile } from '../model/obtain/file-digest.ts';
import { shippedPromptDirectory } from '../prompts/shipped.ts';

/** Queries that states are read from, with what they were for the record. */
export interface MeasuredQueries {
  readonly texts: readonly string[];
  readonly files: { file: string; sha256: string; queries: number }[];
}

/** The project's own, those for tests left aside. */
const SHIPPED = ['dev.jsonl', 'train.jsonl'];

export async function shippedQueries(): Promise<MeasuredQueries> {
  const texts: string[] = [];
  const files: MeasuredQueries['files'] = [];
  for (const name of SHIPPED) {
    const path = join(shippedPromptDirectory, 'queries', name);
    const queries = await readQueries(path);
    texts.push(...queries.map(({ text }) => text));
    files.push({ file: basename(path), sha256: await sha256OfFile(path), queries: queries.length });
  }
  return { texts, files };
}
