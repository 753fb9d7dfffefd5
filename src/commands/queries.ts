import { type Command, Option } from 'commander';
import { checkQueries, type QueryProblem } from '../dro/queries/check-queries.ts';
import { queryLabels } from '../dro/queries/query.ts';
import { type QueryFile, type ReadQueriesOptions, readQueryFile } from '../dro/queries/read-queries.ts';
import { NEAR_DUPLICATE } from '../dro/queries/similarity.ts';
import { type QuerySummary, summarize } from '../dro/queries/summary.ts';
import { PreambleError } from '../errors.ts';
import { type Output, processOutput, table, writeResult } from './output.ts';

/** Lines of a long list that a person still reads; `--json` gives them all. */
const MAX_LISTED = 50;

interface CheckOptions extends ReadQueriesOptions {
  json?: boolean;
}

/** `preamble queries check`. Failures are thrown as PreambleError for the top level to print. */
export function registerQueriesCommands(program: Command, output: Output = processOutput): void {
  const queries = program.command('queries').description('Check the queries that prompts are trained and evaluated on');
  queries
    .command('check')
    .description('Count queries, and find those that are unusable, alike, or in more than one split')
    .argument('<file...>', 'one file a split: .jsonl, .csv or .txt')
    .addOption(new Option('--label <label>', 'the label of queries that have none in the file').choices(queryLabels))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', help)
    .action((paths: string[], options: CheckOptions) => checkFiles(paths, options, output));
}

const help = `
Formats:
  .jsonl  one object a line: {"text": "…", "label": "harmful"}; id, category, form and twin may be added
  .csv    a heading with the columns text,label; the others as above
  .txt    one query a line; its label comes from --label

Labels are harmful and harmless, forms question and imperative (where none is given, a question mark decides). A twin is the id
of the query of the other label that shares its words; twins belong in the same file.

Queries are alike from a similarity of ${NEAR_DUPLICATE} on (Jaccard's index of their letter trigrams without words such as "how can I"):
within a file those of the same label are compared, across files all.

Exit code: 0 all is well, 1 something must be corrected, 2 used wrongly.

Example:
  preamble queries check train.jsonl dev.jsonl test.jsonl`;

async function checkFiles(paths: readonly string[], options: CheckOptions, output: Output): Promise<void> {
  const files: QueryFile[] = [];
  for (const path of new Set(paths)) files.push(await readQueryFile(path, options));
  const problems = checkQueries(files);
  const summaries = files.map(summarize);
  const text = `${splitTable(summaries)}${categoryTable(summaries)}${problemList(problems)}`;
  writeResult(options.json, { splits: summaries, nearDuplicate: NEAR_DUPLICATE, problems }, text, output);
  if (problems.length === 0) return;
  const lines = new Set(problems.map(({ file, line }) => `${file}:${line}`)).size;
  throw new PreambleError('format_invalid', `${lines === 1 ? '1 line is' : `${lines} lines are`} not usable.`, {
    action: 'Correct or remove what is listed above, and check again.',
  });
}

function splitTable(summaries: readonly QuerySummary[]): string {
  return table(
    ['SPLIT', 'HARMFUL', 'HARMLESS', 'QUESTIONS', 'IMPERATIVES', 'TWINS', 'LONGEST', 'FILE'],
    summaries.map(({ name, labels, forms, twins, longest, file }) => [
      name,
      String(labels.harmful),
      String(labels.harmless),
      String(forms.question),
      String(forms.imperative),
      String(twins),
      String(longest),
      file,
    ]),
  );
}

/** Harmful and harmless ones by category, one column a split: `13 + 13`. */
function categoryTable(summaries: readonly QuerySummary[]): string {
  const splits = summaries.map(({ categories }) => new Map(categories.map((count) => [count.category, count])));
  const names = [...new Set(splits.flatMap((counts) => [...counts.keys()]))];
  if (names.length === 0) return '';
  const rows = names.map((name) => [
    name,
    ...splits.map((counts) => {
      const count = counts.get(name);
      return count === undefined ? '-' : `${count.harmful} + ${count.harmless}`;
    }),
  ]);
  return `\n${table(['CATEGORY', ...summaries.map(({ name }) => name.toUpperCase())], rows)}`;
}

function problemList(problems: readonly QueryProblem[]): string {
  if (problems.length === 0) return '\nNothing is wrong.\n';
  const lines = problems.slice(0, MAX_LISTED).map(({ file, line, problem }) => `${file}, line ${line}: ${problem}.\n`);
  const more =
    problems.length > MAX_LISTED ? `… and ${problems.length - MAX_LISTED} more; --json shows them all.\n` : '';
  return `\n${lines.join('')}${more}`;
}
