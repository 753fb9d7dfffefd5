import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readQueries, readQueryFile } from '../../../src/dro/queries/read-queries.ts';

t.test('the ending of the name tells the format, in capitals too', async (t) => {
  const directory = t.testdir({
    'a.jsonl': '{"text":"How?","label":"harmful"}',
    'b.NDJSON': '{"text":"How?","label":"harmful"}',
    'c.csv': 'text,label\nHow?,harmful',
    'd.e.txt': 'How?',
  });
  for (const file of ['a.jsonl', 'b.NDJSON', 'c.csv', 'd.e.txt']) {
    const [query] = await readQueries(join(directory, file), { label: 'harmful' });
    t.match(query, { text: 'How?', label: 'harmful', form: 'question' }, file);
  }
  t.match(await readQueryFile(join(directory, 'd.e.txt'), { label: 'harmful' }), { name: 'd.e', faults: [] });
});

t.test('a file that must be right fails with its first line at fault', async (t) => {
  const path = join(t.testdir({ 'x.jsonl': '{"text":"a","label":"harmful"}\n{}\n{"text":""}' }), 'x.jsonl');
  await t.rejects(readQueries(path), {
    code: 'format_invalid',
    message: `Cannot read queries from ${path}, line 2: it has no text.`,
    action: `Run: preamble queries check ${path}`,
  });
  t.match(await readQueryFile(path), { queries: { length: 1 }, faults: { length: 2 } });
});

t.test('what cannot be a file of queries is refused', async (t) => {
  const directory = t.testdir({ 'a.parquet': 'x', dir: { 'b.txt': '' } });
  await writeFile(join(directory, 'latin.txt'), Buffer.from([0x66, 0xfc, 0x72]));
  await writeFile(join(directory, 'large.txt'), 'a'.repeat(4 * 2 ** 20 + 1));
  const cases: [string, string, RegExp][] = [
    ['a.parquet', 'format_invalid', /its name does not tell its format/],
    ['dir', 'format_invalid', /does not tell its format/],
    ['dir/b.txt', 'format_invalid', /holds no query/],
    ['latin.txt', 'format_invalid', /not UTF-8/],
    ['large.txt', 'format_invalid', /4194305 bytes, the most is 4194304/],
    ['absent.csv', 'file_unreadable', /absent\.csv/],
  ];
  for (const [file, code, message] of cases) {
    await t.rejects(readQueryFile(join(directory, file), { label: 'harmful' }), { code, message, action: /./ });
  }
});
