import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QueryGroup } from '../../dro/evaluation/collect.ts';
import { type QueryLabel, queryLabels } from '../../dro/queries/query.ts';
import { readQueries } from '../../dro/queries/read-queries.ts';
import { sha256OfFile } from '../../model/obtain/file-digest.ts';

const shipped = (name: string) => fileURLToPath(new URL(`../../../prompts/queries/${name}.jsonl`, import.meta.url));

/** Everyday tasks, on which a safety prompt should change as little as possible. */
export const NEUTRAL_SET = shipped('neutral');

export interface ReadSetsOptions {
  label?: QueryLabel | undefined;
  /** So many queries of each label of a file, spread evenly over it. */
  limit?: number | undefined;
}

/** The queries of the files, each file in one group for each label that it has. Throws what reading them throws. */
export async function readSets(paths: readonly string[], options: ReadSetsOptions): Promise<QueryGroup[]> {
  const groups: QueryGroup[] = [];
  for (const path of new Set(paths)) {
    const queries = await readQueries(path, options);
    const set = { name: nameOf(path), sha256: await sha256OfFile(path) };
    for (const label of queryLabels) {
      const own = queries.filter((query) => query.label === label);
      if (own.length > 0) groups.push({ set, label, queries: spread(own, options.limit ?? own.length) });
    }
  }
  return groups;
}

/** Whether a set is the test split, which may be read once for a prompt: by its name, or by its content whatever its name. */
export async function isTestSet({ set }: QueryGroup): Promise<boolean> {
  return set.name === 'test' || set.sha256 === (await sha256OfFile(shipped('test')));
}

function nameOf(path: string): string {
  return basename(path).replace(/\.[^.]+$/, '');
}

/** Not the first ones: files are often sorted by what they hold. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  if (count >= items.length) return [...items];
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)]).filter(
    (item) => item !== undefined,
  );
}
