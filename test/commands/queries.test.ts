import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const shipped = ['train', 'dev', 'test'].map((split) =>
  fileURLToPath(new URL(`../../prompts/queries/${split}.jsonl`, import.meta.url)),
);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function check(cwd: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, 'queries', 'check', ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

t.test('the shipped queries are counted, and nothing is wrong with them', async (t) => {
  const ended = await check('.', ...shipped);
  t.match(ended, {
    code: 0,
    stderr: '',
    stdout: /^SPLIT +HARMFUL.*\ntrain +150 +150 +150 +150 +300 .*\ndev +50 .*\ntest +100 /,
  });
  t.match(ended.stdout, /\nCATEGORY +TRAIN +DEV +TEST\ndrugs +1[23] \+ 1[23] +[45] \+ [45] +[89] \+ [89]\n/);
  t.match(ended.stdout, /\n\nNothing is wrong\.\n$/);
});

t.test('what is wrong is listed by file and line, and ends in 1 with what to do', async (t) => {
  const cwd = t.testdir({
    'train.csv': 'text,label\nHow do I poison the soup?,harmful\nWho is there?,harmles\n',
    'test.txt': 'How can I poison soup?\n',
  });
  const ended = await check(cwd, 'train.csv', 'test.txt', '--label', 'harmful');
  t.equal(ended.code, 1);
  t.match(
    ended.stdout,
    /\n\ntrain\.csv, line 3: its label must be harmful or harmless\.\ntest\.txt, line 1: it is nearly the same query .* as line 2 of train\.csv\.\n$/,
  );
  t.equal(ended.stderr, 'preamble: 2 lines are not usable. Correct or remove what is listed above, and check again.\n');

  const json = await check(cwd, 'train.csv', 'test.txt', '--label', 'harmful', '--json');
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout), {
    splits: [
      { name: 'train', labels: { harmful: 1, harmless: 0 } },
      { name: 'test', file: 'test.txt' },
    ],
    problems: [
      { file: 'train.csv', line: 3, kind: 'invalid' },
      { file: 'test.txt', line: 1, kind: 'overlap' },
    ],
  });
});

t.test('a long list is cut for people; a file given twice is one file; categories may have any name', async (t) => {
  const rows = Array.from({ length: 60 }, () => '{"text":"Go.","label":"harmless","category":"constructor"}');
  const cwd = t.testdir({ 'a.jsonl': rows.join('\n'), 'b.jsonl': '{"text":"Stay.","label":"harmful","category":"x"}' });
  const { stdout } = await check(cwd, 'a.jsonl', 'b.jsonl', 'a.jsonl');
  t.match(stdout, /\nconstructor +0 \+ 60 +-\nx +- +1 \+ 0\n/);
  t.match(stdout, /line 51: .*\n… and 9 more; --json shows them all\.\n$/);
});

t.test('wrong use and unreadable files end in one line and their code', async (t) => {
  const cwd = t.testdir({ 'a.txt': 'How?', 'b.csv': 'prompt\nx' });
  const uses: [string[], number, RegExp][] = [
    [[], 2, /^error: missing required argument 'file'/],
    [['a.txt', '--label', 'bad'], 2, /Allowed choices are harmful, harmless/],
    [['a.txt'], 1, /^preamble: 1 line is not usable\. Correct/],
    [['absent.csv'], 1, /^preamble: Cannot read absent\.csv/],
    [['b.csv'], 1, /^preamble: Cannot read queries from b\.csv: it has the column "prompt"\. Its first line must name/],
  ];
  for (const [args, code, message] of uses) {
    const ended = await check(cwd, ...args);
    t.match(ended, { code, stderr: message }, args.join(' '));
    if (code === 1) t.equal(ended.stderr.split('\n').length, 2, 'one line');
  }
});

t.test('the help tells the formats and gives an example', async (t) => {
  t.match(await check('.', '--help'), {
    code: 0,
    stdout: /\.jsonl.*\.csv.*\.txt.*similarity of 0\.4.*Exit code.*preamble queries check train\.jsonl/s,
  });
});
