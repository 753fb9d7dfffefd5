import { PassThrough } from 'node:stream';
import t from 'tap';
import { formatBytes, table, writeResult } from '../../src/commands/output.ts';

t.test('bytes are counted in powers of 1000, three digits at most', async (t) => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [271_170_520, '271 MB'],
    [2_104_556, '2.1 MB'],
    [3e15, '3000 TB'],
  ];
  for (const [bytes, text] of cases) t.equal(formatBytes(bytes), text);
});

t.test('columns are as wide as their widest cell, and lines have no trailing blanks', async (t) => {
  t.equal(
    table(
      ['A', 'LONG'],
      [
        ['xxx', 'y'],
        ['z', ''],
      ],
    ),
    'A    LONG\nxxx  y\nz\n',
  );
});

t.test('a result is text for people and JSON for programs, each ending in one newline', async (t) => {
  const written = (json: boolean, text: string) => {
    const stdout = new PassThrough();
    writeResult(json, { a: 1 }, text, { stdout, stderr: new PassThrough() });
    return String(stdout.read() ?? '');
  };
  t.equal(written(false, 'one line'), 'one line\n');
  t.equal(written(false, 'a table\n'), 'a table\n');
  t.equal(written(false, ''), '');
  t.same(JSON.parse(written(true, 'one line')), { a: 1 });
});
