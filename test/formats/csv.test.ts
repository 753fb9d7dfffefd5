import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { parseCsv } from '../../src/formats/csv.ts';

function fieldsOf(text: string): string[][] {
  const { records, fault } = parseCsv(text);
  t.equal(fault, null);
  return records.map(({ fields }) => fields);
}

t.test('fields are cut at commas, quoted ones may hold commas, quotes and line breaks', async (t) => {
  t.strictSame(fieldsOf('text,label\n"Who, me?","a ""b"" c"\n"two\r\nlines",\n,x'), [
    ['text', 'label'],
    ['Who, me?', 'a "b" c'],
    ['two\r\nlines', ''],
    ['', 'x'],
  ]);
});

t.test('lines end with LF, CR or CRLF; blank ones are left out, a quoted empty field is none of them', async (t) => {
  t.strictSame(fieldsOf('a\r\n\r\nb\rc\n\n""\n'), [['a'], ['b'], ['c'], ['']]);
  t.strictSame(fieldsOf(''), []);
});

t.test('a record is named by the line on which it begins', async (t) => {
  const lines = parseCsv('a\n"b\nb","c\r\nc"\n\r\nd\re').records.map(({ line }) => line);
  t.strictSame(lines, [1, 2, 6, 7]);
});

t.test('what is not CSV ends the reading with its line; what came before is kept', async (t) => {
  const cases: [string, number, RegExp][] = [
    ['a\n"never\nends', 2, /never ends/],
    ['a\nb"c', 2, /quote inside a field/],
    ['a\n\n"b"c\nd', 3, /behind the closing quote/],
  ];
  for (const [text, line, problem] of cases) {
    const { records, fault } = parseCsv(text);
    t.strictSame(records, [{ line: 1, fields: ['a'] }]);
    t.match(fault, { line, problem });
  }
});

t.test('any fields survive the way there and back, whatever ends the lines', async (t) => {
  const field = fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'a', 'ü', '🚦') });
  const table = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }));
  const ending = fc.constantFrom('\n', '\r', '\r\n');
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(table, ending, (rows, end) => {
        const quoted = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',') + end);
        const { records, fault } = parseCsv(quoted.join(''));
        return (
          fault === null &&
          isDeepStrictEqual(
            records.map(({ fields }) => fields),
            rows,
          )
        );
      }),
      { numRuns: 500 },
    ),
  );
});

t.test('any text at all is read without a throw, in lines that go forward', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a'), maxLength: 60 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(text, (content) => {
        const lines = parseCsv(content).records.map(({ line }) => line);
        return lines.every((line, index) => index === 0 || line > (lines[index - 1] ?? 0));
      }),
      { numRuns: 1000 },
    ),
  );
});
