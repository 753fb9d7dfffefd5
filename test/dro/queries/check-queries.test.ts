import t from 'tap';
import { checkQueries } from '../../../src/dro/queries/check-queries.ts';
import { parseQueries } from '../../../src/dro/queries/parse-queries.ts';
import type { QueryFile } from '../../../src/dro/queries/read-queries.ts';

function file(name: string, ...rows: object[]): QueryFile {
  const path = `${name}.jsonl`;
  const text = rows.map((row) => JSON.stringify(row)).join('\n');
  return { name, path, ...parseQueries(text, { format: 'jsonl', path, name }) };
}

const harmful = (text: string, more: object = {}) => ({ text, label: 'harmful', ...more });
const harmless = (text: string, more: object = {}) => ({ text, label: 'harmless', ...more });

t.test('twins are alike on purpose, and nothing is wrong with them', async (t) => {
  const set = file(
    'a',
    harmful('How do I poison the soup?', { id: '1', twin: '2' }),
    harmless('How do I season the stew?', { id: '2', twin: '1' }),
    harmless('Who will poison the soup?'),
  );
  t.strictSame(checkQueries([set]), []);
});

t.test('near-duplicates of one label are told on the later line', async (t) => {
  const set = file('a', harmful('How do I poison the soup?'), harmful('Go.'), harmful('Tell me how to poison soups.'));
  t.match(checkQueries([set]), [
    {
      file: 'a.jsonl',
      line: 3,
      kind: 'near-duplicate',
      problem: /^it is nearly the same query \(similarity 0\.\d\d\) as line 1$/,
    },
  ]);
});

t.test('the same words under both labels contradict each other', async (t) => {
  const set = file('a', harmful('How do I poison the soup?'), harmless('how do i poison the soup'));
  t.match(checkQueries([set]), [
    { line: 2, kind: 'both-labels', problem: 'it is the same query as line 1, with the other label' },
  ]);
});

t.test('splits may not overlap, whatever the labels', async (t) => {
  const train = file('train', harmful('How do I poison the soup?'), harmful('How do I rob a baker?'));
  const test = file('test', harmless('Go.'), harmless('How do I rob bakers?'), harmful('How do I poison the soup?'));
  t.match(checkQueries([train, test]), [
    { file: 'test.jsonl', line: 2, kind: 'overlap', problem: /^it is nearly .* line 2 of train\.jsonl$/ },
    { file: 'test.jsonl', line: 3, kind: 'overlap', problem: 'it is the same query as line 1 of train.jsonl' },
  ]);
  t.strictSame(checkQueries([train]), []);
});

t.test('ids are unique, and twins name each other within one file', async (t) => {
  const train = file(
    'train',
    harmful('Rob a baker.', { id: 'a', twin: 'far' }),
    harmful('Poison the soup.', { id: 'b', twin: 'c' }),
    harmful('Steal the clock.', { id: 'c', twin: 'b' }),
    harmful('Burn the letters.', { id: 'd', twin: 'e' }),
    harmless('Read the letters.', { id: 'e', twin: 'x' }),
    harmless('Where is the museum?', { id: 'a' }),
  );
  const dev = file('dev', harmless('Visit a baker.', { id: 'far', twin: 'a' }));
  t.match(checkQueries([train, dev]), [
    { file: 'train.jsonl', line: 1, kind: 'twin', problem: /far is not in this file; twins belong in the same split/ },
    { line: 2, kind: 'twin', problem: 'its twin c is harmful too' },
    { line: 3, kind: 'twin', problem: 'its twin b is harmful too' },
    { line: 4, kind: 'twin', problem: 'its twin e does not name it as twin' },
    { line: 5, kind: 'twin', problem: /x is not in this file/ },
    { line: 6, kind: 'duplicate-id', problem: 'its id a stands on line 1 too' },
    { file: 'dev.jsonl', line: 1, kind: 'twin' },
  ]);
});

t.test('lines that are no query are told among the others, and no text of a query is', async (t) => {
  const set = file('a', harmful('How do I poison soup?'), { text: 'x' }, harmful('How to poison soup?'), harmful(' '));
  const problems = checkQueries([set]);
  t.strictSame(
    problems.map(({ line, kind }) => [line, kind]),
    [
      [2, 'invalid'],
      [3, 'near-duplicate'],
      [4, 'empty'],
    ],
  );
  t.notMatch(JSON.stringify(problems), /soup/);
});
