import { findNearDuplicates } from './near-duplicates.ts';
import type { Query, QueryFaultKind } from './query.ts';
import type { QueryFile } from './read-queries.ts';
import { NEAR_DUPLICATE, querySignature } from './similarity.ts';

export interface QueryProblem {
  /** The file's path. */
  file: string;
  line: number;
  kind: QueryFaultKind | 'duplicate-id' | 'twin' | 'near-duplicate' | 'both-labels' | 'overlap';
  /** Reads on after "train.jsonl, line 12: ". Names lines and ids, never the text of a query. */
  problem: string;
}

/** Everything that is wrong with files that are to be used together, each of them one split; empty if nothing is. */
export function checkQueries(files: readonly QueryFile[]): QueryProblem[] {
  const inFiles = files.flatMap((file) => [
    ...file.faults.map((fault) => ({ file: file.path, ...fault })),
    ...checkIds(file),
    ...checkTwins(file),
  ]);
  const order = new Map(files.map(({ path }, index) => [path, index]));
  return [...inFiles, ...checkSimilar(files)].sort(
    (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line,
  );
}

function checkIds({ path, queries }: QueryFile): QueryProblem[] {
  const lines = new Map<string, number>();
  const problems: QueryProblem[] = [];
  for (const { id, line } of queries) {
    const before = lines.get(id);
    if (before === undefined) lines.set(id, line);
    else
      problems.push({ file: path, line, kind: 'duplicate-id', problem: `its id ${id} stands on line ${before} too` });
  }
  return problems;
}

/** Twins belong in one split: with one of them in training, the other is half known. */
function checkTwins({ path, queries }: QueryFile): QueryProblem[] {
  const byId = new Map(queries.map((query) => [query.id, query]));
  const problemOf = (query: Query): string | null => {
    if (query.twin === null) return null;
    const twin = byId.get(query.twin);
    if (twin === undefined) return `its twin ${query.twin} is not in this file; twins belong in the same split`;
    if (twin.label === query.label) return `its twin ${query.twin} is ${twin.label} too`;
    if (twin.twin !== query.id) return `its twin ${query.twin} does not name it as twin`;
    return null;
  };
  return queries.flatMap((query) => {
    const problem = problemOf(query);
    return problem === null ? [] : [{ file: path, line: query.line, kind: 'twin' as const, problem }];
  });
}

interface Located {
  file: QueryFile;
  query: Query;
  /** Lower-case words with one blank between them. */
  words: string;
}

/**
 * Across files every pair is compared. Within one, those of the same label: twins are alike on purpose. There, two queries of both labels
 * may not be the same words.
 */
function checkSimilar(files: readonly QueryFile[]): QueryProblem[] {
  const all: Located[] = files.flatMap((file) =>
    file.queries.map((query) => ({ file, query, words: wordsOf(query.text) })),
  );
  const compared = (first: number, second: number): boolean => {
    const [a, b] = [all[first], all[second]];
    if (a === undefined || b === undefined) return false;
    return a.file !== b.file || a.query.label === b.query.label || a.words === b.words;
  };
  const signatures = all.map(({ query }) => querySignature(query.text));
  return findNearDuplicates(signatures, NEAR_DUPLICATE, compared).flatMap(({ first, second, similarity }) => {
    const [a, b] = [all[first], all[second]];
    return a === undefined || b === undefined ? [] : [describePair(a, b, similarity)];
  });
}

function describePair(a: Located, b: Located, similarity: number): QueryProblem {
  const across = a.file !== b.file;
  const where = across ? `line ${a.query.line} of ${a.file.path}` : `line ${a.query.line}`;
  const same = a.words === b.words;
  const kind = across ? 'overlap' : a.query.label === b.query.label ? 'near-duplicate' : 'both-labels';
  const likeness = same ? 'the same query as' : `nearly the same query (similarity ${similarity.toFixed(2)}) as`;
  const otherLabel = kind === 'both-labels' ? ', with the other label' : '';
  return { file: b.file.path, line: b.query.line, kind, problem: `it is ${likeness} ${where}${otherLabel}` };
}

function wordsOf(text: string): string {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [text]
  ).join(' ');
}
