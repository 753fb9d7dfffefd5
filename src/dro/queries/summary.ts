import type { Query, QueryForm, QueryLabel } from './query.ts';
import type { QueryFile } from './read-queries.ts';

interface CategoryCount extends Record<QueryLabel, number> {
  category: string;
}

export interface QuerySummary {
  name: string;
  file: string;
  labels: Record<QueryLabel, number>;
  forms: Record<QueryForm, number>;
  /** Queries that name a twin. */
  twins: number;
  /** UTF-16 units of the longest text. */
  longest: number;
  /** In the order of their names; queries without a category are not counted here. */
  categories: CategoryCount[];
}

/** What a file's usable lines hold, in figures. */
export function summarize({ name, path, queries }: QueryFile): QuerySummary {
  const summary: Omit<QuerySummary, 'categories'> = {
    name,
    file: path,
    labels: { harmful: 0, harmless: 0 },
    forms: { question: 0, imperative: 0 },
    twins: 0,
    longest: 0,
  };
  const categories = new Map<string, CategoryCount>();
  for (const query of queries) {
    summary.labels[query.label]++;
    summary.forms[query.form]++;
    if (query.twin !== null) summary.twins++;
    summary.longest = Math.max(summary.longest, query.text.length);
    countCategory(categories, query);
  }
  const sorted = [...categories.values()].sort((a, b) => (a.category < b.category ? -1 : 1));
  return { ...summary, categories: sorted };
}

function countCategory(categories: Map<string, CategoryCount>, { category, label }: Query): void {
  if (category === null) return;
  const count = categories.get(category) ?? { category, harmful: 0, harmless: 0 };
  count[label]++;
  categories.set(category, count);
}
