import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { describe, PreambleError } from '../../src/errors.ts';
import { readShardIndex } from '../../src/model/shard-index.ts';

const FILE = 'model.safetensors.index.json';

t.test('which file holds which tensor', async (t) => {
  const root = t.testdir();
  t.equal(await readShardIndex(root), null);
  const weight_map = { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' };
  await writeFile(join(root, FILE), JSON.stringify({ metadata: { total_size: 1 }, weight_map }));
  t.strictSame(Object.fromEntries((await readShardIndex(root)) ?? []), weight_map);
});

t.test('an index that points outside its directory, or is none', async (t) => {
  const root = t.testdir();
  for (const name of [
    '../model.safetensors',
    '/etc/x.safetensors',
    '.safetensors',
    'a/b.safetensors',
    'a\\b.safetensors',
    'x.bin',
    'a\0.safetensors',
  ]) {
    await writeFile(join(root, FILE), JSON.stringify({ weight_map: { a: name } }));
    await t.rejects(
      readShardIndex(root),
      { code: 'format_invalid', message: /points outside its directory/ },
      JSON.stringify(name),
    );
  }
  for (const [text, message] of [
    ['{', /not JSON/],
    ['{}', /no weight_map/],
    ['{"weight_map":{"a":1}}', /no weight_map/],
    [' '.repeat(16 * 2 ** 20 + 1), /larger than 16 MiB/],
  ] as const) {
    await writeFile(join(root, FILE), text);
    await t.rejects(readShardIndex(root), { code: 'format_invalid', message });
  }
});

t.test('whatever stands in it, every file named is one of the directory', async (t) => {
  const root = t.testdir();
  const index = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .dictionary(fc.string(), fc.oneof(fc.string(), fc.constantFrom('model.safetensors', '../model.safetensors')))
      .map((weight_map) => JSON.stringify({ weight_map })),
  );
  await fc.assert(
    fc.asyncProperty(index, async (text) => {
      await writeFile(join(root, FILE), text);
      try {
        return [...((await readShardIndex(root)) ?? new Map()).values()].every((name) =>
          /^[\w.-]+\.safetensors$/.test(name),
        );
      } catch (error) {
        if (!(error instanceof PreambleError)) throw error;
        return error.code === 'format_invalid' && !describe(error).includes('\n');
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});
