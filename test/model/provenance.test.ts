import { truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../src/errors.ts';
import {
  checkSizes,
  PROVENANCE_FILE,
  type Provenance,
  parseProvenance,
  readProvenance,
  verifyFiles,
  writeProvenance,
} from '../../src/model/provenance.ts';
import { sha256 } from './obtain/support/tiny-wheel.ts';

const bytes = Buffer.from('contents');
const record: Provenance = {
  format: 'preamble.model/1',
  id: 'a/b',
  source: { kind: 'hub', repository: 'a/b', revision: 'main' },
  files: [
    { name: 'one', size: bytes.length, sha256: sha256(bytes) },
    { name: 'two', size: bytes.length, sha256: sha256(bytes) },
  ],
  embeddingsSha256: '0'.repeat(64),
  obtained: '2026-01-01T00:00:00.000Z',
};

t.test('a record reads back as it was written', async (t) => {
  const folder = t.testdir({});
  t.equal(await readProvenance(folder), null);
  await writeProvenance(folder, record);
  t.same(await readProvenance(folder), record);
});

t.test('any text is a record or a clear error', async (t) => {
  const field = fc.constantFrom(...Object.keys(record));
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.tuple(field, fc.jsonValue()).map(([name, value]) => JSON.stringify({ ...record, [name]: value })),
    fc.nat(JSON.stringify(record).length).map((length) => JSON.stringify(record).slice(0, length)),
  );
  const check = (text: string) => {
    try {
      return parseProvenance(text, 'record').format === 'preamble.model/1';
    } catch (error) {
      return error instanceof PreambleError && error.code === 'format_invalid' && !error.message.includes('\n');
    }
  };
  t.doesNotThrow(() => fc.assert(fc.property(texts, check), { numRuns: 1000 }));
});

t.test('file names that lead out of the directory, and files listed twice, are refused', async (t) => {
  const [one] = record.files;
  for (const name of ['../one', '/etc/passwd', 'a/b', '..', '', 'a\\b', '.hidden']) {
    const text = JSON.stringify({ ...record, files: [{ ...one, name }] });
    t.throws(() => parseProvenance(text, 'record'), { code: 'format_invalid' }, name);
  }
  t.throws(() => parseProvenance(JSON.stringify({ ...record, files: [one, one] }), 'record'), /listed twice/);
});

t.test('a record of a size that is not ours is not read', async (t) => {
  const folder = t.testdir({ [PROVENANCE_FILE]: ' '.repeat(2 ** 20 + 1) });
  await t.rejects(readProvenance(folder), { code: 'format_invalid', message: /1 MiB/ });
});

t.test('missing files, other sizes and changed bytes are found', async (t) => {
  const folder = t.testdir({ one: bytes, two: bytes });
  t.same(await verifyFiles(folder, record.files), []);
  await writeFile(join(folder, 'one'), 'CONTENTS');
  t.same(await checkSizes(folder, record.files), [], 'a quick look cannot see it');
  t.same(await verifyFiles(folder, record.files), [{ name: 'one', problem: 'wrong digest' }]);
  await truncate(join(folder, 'one'), 3);
  await unlink(join(folder, 'two'));
  t.same(await verifyFiles(folder, record.files), [
    { name: 'one', problem: 'wrong size' },
    { name: 'two', problem: 'missing' },
  ]);
});
