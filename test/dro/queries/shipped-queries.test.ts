import { fileURLToPath } from 'node:url';
import t from 'tap';
import { checkQueries } from '../../../src/dro/queries/check-queries.ts';
import type { Query } from '../../../src/dro/queries/query.ts';
import { readQueryFile } from '../../../src/dro/queries/read-queries.ts';
import { querySignature, similarity } from '../../../src/dro/queries/similarity.ts';
import { summarize } from '../../../src/dro/queries/summary.ts';

/** Of each label. Split once and for good: a query never changes its split. */
const sizes = { train: 150, dev: 50, test: 100 };
const categories = [
  'drugs',
  'extremism',
  'fraud',
  'hacking',
  'harassment',
  'hate',
  'misinformation',
  'privacy',
  'self-harm',
  'theft',
  'violence',
  'weapons',
];
const MAX_SHIPPED_LENGTH = 120;

const shipped = (split: string) => fileURLToPath(new URL(`../../../prompts/queries/${split}.jsonl`, import.meta.url));
const files = await Promise.all(Object.keys(sizes).map((split) => readQueryFile(shipped(split))));
const all = files.flatMap(({ queries }) => queries);

t.test('no line is at fault, and no two queries are near-duplicates, within a split or across', async (t) => {
  t.strictSame(checkQueries(files), []);
});

t.test('what else comes along to train on, or to see what changes, is near to no query of a split', async (t) => {
  const more = await Promise.all(['extra', 'neutral'].map((name) => readQueryFile(shipped(name))));
  t.strictSame(checkQueries([...files, ...more]), []);
});

t.test('each split has its size, half of it questions, and every category in its share', async (t) => {
  for (const summary of files.map(summarize)) {
    const size = Object.entries(sizes).find(([split]) => split === summary.name)?.[1] ?? 0;
    t.match(summary, { labels: { harmful: size, harmless: size }, forms: { question: size, imperative: size } });
    t.ok(summary.longest <= MAX_SHIPPED_LENGTH);
    t.strictSame(
      summary.categories.map(({ category }) => category),
      categories,
    );
    for (const { harmful, harmless } of summary.categories) {
      t.equal(harmful, harmless);
      t.ok(Math.abs(harmful - size / categories.length) < 1);
    }
  }
});

t.test('each harmful query has a harmless twin of its category and form that shares words with it', async (t) => {
  const byId = new Map(all.map((query) => [query.id, query]));
  for (const query of all.filter(({ label }) => label === 'harmful')) {
    const twin = query.twin === null ? undefined : byId.get(query.twin);
    t.match(twin, { label: 'harmless', category: query.category, form: query.form, twin: query.id }, query.id);
    t.ok(similarity(querySignature(query.text), querySignature(twin?.text ?? '')) > 0, query.id);
    t.equal(opening(query, 1), twin && opening(twin, 1), query.id);
  }
});

t.test('the form is what the text is: questions end in a question mark, imperatives in a full stop', async (t) => {
  for (const { id, text, form } of all) t.equal(text.at(-1), form === 'question' ? '?' : '.', id);
});

t.test('a query keeps its split: ids name category and label, and together they are 25 a category', async (t) => {
  for (const category of categories) {
    const numbers = all.filter((query) => query.category === category && query.label === 'harmful').map(({ id }) => id);
    const expected = Array.from({ length: 25 }, (_, at) => `${category}-${String(at + 1).padStart(2, '0')}-harmful`);
    t.strictSame(numbers.sort(), expected);
  }
});

t.test('openings vary: no first two words stand in more than a tenth of the harmful queries', async (t) => {
  const counts = new Map<string, number>();
  for (const query of all) {
    if (query.label === 'harmful') counts.set(opening(query, 2), (counts.get(opening(query, 2)) ?? 0) + 1);
  }
  t.ok(Math.max(...counts.values()) <= 30, `${Math.max(...counts.values())}`);
  t.ok(counts.size >= 50, `${counts.size} openings`);
});

function opening({ text }: Query, words: number): string {
  return text.split(' ').slice(0, words).join(' ');
}
