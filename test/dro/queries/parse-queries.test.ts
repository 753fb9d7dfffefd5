import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { MAX_QUERIES, parseQueries, type QueryFormat } from '../../../src/dro/queries/parse-queries.ts';
import { MAX_QUERY_LENGTH, type QueryLabel } from '../../../src/dro/queries/query.ts';
import { PreambleError } from '../../../src/errors.ts';

function parse(format: QueryFormat, text: string, label?: QueryLabel) {
  return parseQueries(text, { format, path: `set.${format}`, name: 'set', label });
}

t.test('a line of JSON may bring everything, or text and label alone', async (t) => {
  const full = { id: 'a', text: 'How?', label: 'harmful', category: 'fraud', form: 'imperative', twin: 'b' };
  const { queries, faults } = parse('jsonl', `${JSON.stringify(full)}\n\n{"text":" Go. ","label":"harmless"}\r\n`);
  t.strictSame(faults, []);
  t.strictSame(queries, [
    { ...full, line: 1 },
    { id: 'set:3', text: 'Go.', label: 'harmless', category: null, form: 'imperative', twin: null, line: 3 },
  ]);
});

t.test('CSV is read by its heading, in any order; an empty cell is a field that is not given', async (t) => {
  const { queries } = parse(
    'csv',
    '\u{FEFF}label, text ,form,category\nharmful,"Who, me?",,\nharmless,Go.,question,x\n',
  );
  t.match(queries, [
    { text: 'Who, me?', label: 'harmful', form: 'question', category: null, line: 2, id: 'set:2' },
    { text: 'Go.', label: 'harmless', form: 'question', category: 'x', line: 3 },
  ]);
});

t.test('plain text takes its label from the option; a label in the file goes before it', async (t) => {
  t.match(parse('text', '  How? \r\n\r\n# Go', 'harmful').queries, [
    { text: 'How?', label: 'harmful', line: 1 },
    { text: '# Go', label: 'harmful', line: 3 },
  ]);
  const mixed = parse('csv', 'text,label\na,harmless\nb,', 'harmful').queries;
  t.strictSame(
    mixed.map(({ label }) => label),
    ['harmless', 'harmful'],
  );
  t.match(parse('text', 'How?').faults, [{ line: 1, problem: /no label.*--label/ }]);
});

t.test('a question mark makes a question, also before a closing quote and in other scripts', async (t) => {
  const forms = parse('text', 'How?\nSay "why?"\n你好吗？\nWhat? Go.\nGo', 'harmful').queries.map(({ form }) => form);
  t.strictSame(forms, ['question', 'question', 'question', 'imperative', 'imperative']);
});

t.test('each line at fault is told, and the others are read', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['{"text":', 'invalid', /^it is not JSON/],
    ['["text"]', 'invalid', /not a JSON object/],
    ['{"label":"harmful"}', 'invalid', /has no text/],
    ['{"text":1,"label":"harmful"}', 'invalid', /text must be a string/],
    ['{"text":"a","label":"Harmful"}', 'invalid', /label must be harmful or harmless/],
    ['{"text":"a","label":"harmful","form":"x"}', 'invalid', /form must be question or imperative/],
    ['{"text":"a","label":"harmful","catgory":"x"}', 'invalid', /field "catgory"; known are text, label, id/],
    ['{"text":"a","text":"b","label":"harmful"}', 'invalid', /key "text" twice/],
    ['{"text":"a","label":"harmful","category":"\\u001b[31m"}', 'invalid', /category must be .* without controls/],
    ['{"text":"a","label":"harmful","id":"\\u202e"}', 'invalid', /id must be/],
    ['{"text":" \\t ","label":"harmful"}', 'empty', /is empty/],
    ['{"text":"a\\nb","label":"harmful"}', 'control-character', /U\+000A/],
    ['{"text":"a\\u202eb","label":"harmful"}', 'control-character', /U\+202E/],
    ['{"text":"a\\ud800","label":"harmful"}', 'control-character', /U\+D800/],
    [
      `{"text":"${'a'.repeat(MAX_QUERY_LENGTH + 1)}","label":"harmful"}`,
      'too-long',
      /1001 characters, the most is 1000/,
    ],
  ];
  const good = '{"text":"a\\u200db","label":"harmful"}';
  for (const [line, kind, problem] of cases) {
    const { queries, faults } = parse('jsonl', `${good}\n${line}\n${good}`);
    t.match(faults, [{ line: 2, kind, problem }], line.slice(0, 60));
    t.strictSame(
      queries.map(({ line }) => line),
      [1, 3],
    );
    t.notMatch(faults[0]?.problem, /[\p{Cc}\p{Cf}]/u, 'one line without controls');
  }
  t.match(parse('csv', 'text,label\nWho, me?,harmful\nx,harmful\n"y').faults, [
    { line: 2, problem: /3 fields, the heading has 2; a comma in a text needs quotes/ },
    { line: 4, problem: /never ends/ },
  ]);
});

t.test('a file that is no such file at all is refused with what to do', async (t) => {
  const cases: [QueryFormat, string, RegExp][] = [
    ['text', ' \n', /holds no query/],
    ['csv', 'text,label\n', /holds no query/],
    ['csv', 'prompt,label\na,harmful', /column "prompt"/],
    ['csv', 'label\nharmful', /no column text/],
    ['csv', 'text,text\na,b', /column twice/],
    ['text', 'a\n'.repeat(MAX_QUERIES + 1), /more than 10000 queries/],
  ];
  for (const [format, text, message] of cases) {
    t.throws(() => parse(format, text, 'harmful'), { code: 'format_invalid', message, action: /./ });
  }
});

t.test('what is written as JSON, CSV or text is read alike', async (t) => {
  const text = fc.stringMatching(/^[A-Za-zäß',"]([A-Za-z äß',"]{0,30}[A-Za-zäß'",?])?$/);
  const label = fc.constantFrom<QueryLabel>('harmful', 'harmless');
  const cell = (value: string) => `"${value.replaceAll('"', '""')}"`;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), label, (texts, label) => {
        const json = parse('jsonl', texts.map((text) => `${JSON.stringify({ text, label })}\n`).join(''));
        const plain = parse('text', texts.join('\r\n'), label);
        const csv = parse('csv', `text,label\n${texts.map((text) => `${cell(text)},${label}\n`).join('')}`);
        const contents = csv.queries.map(({ line, ...query }) => ({ ...query, id: `set:${line - 1}`, line: line - 1 }));
        return isDeepStrictEqual(json, plain) && isDeepStrictEqual(json.queries, contents) && json.faults.length === 0;
      }),
    ),
  );
});

t.test('any text in any format is read, or refused with a PreambleError', async (t) => {
  const unit = fc.constantFrom(
    '"',
    ',',
    '\n',
    '\r',
    '{',
    '}',
    ':',
    'text',
    'label',
    'harmful',
    '\u0000',
    '\ud800',
    '[',
  );
  const text = fc.oneof(fc.string({ unit }), fc.string({ unit: 'binary' }), fc.json());
  const format = fc.constantFrom<QueryFormat>('jsonl', 'csv', 'text');
  const isRead = (format: QueryFormat, content: string): boolean => {
    try {
      const { queries, faults } = parse(format, content);
      return queries.length + faults.length > 0;
    } catch (error) {
      return error instanceof PreambleError;
    }
  };
  t.doesNotThrow(() => fc.assert(fc.property(format, text, isRead), { numRuns: 1000 }));
});
