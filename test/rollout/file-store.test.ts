import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { countField } from '../../src/rollout/counts.ts';
import { fileRollouts } from '../../src/rollout/file-store.ts';
import { ended, type NewRollout, resized, started } from '../../src/rollout/record.ts';

const now = new Date('2026-11-24T14:00:00Z');
const [stable, candidate] = ['a', 'b'].map((digit, index) => ({ version: `1.${index}.0`, digest: digit.repeat(64) }));
const wanted = { name: 'a/b', model: null, stable, candidate, shadow: false, until: [], share: 0.05 } as NewRollout;
const field = countField({ epoch: 0, arm: 'candidate', traffic: 'mixed' }, 'error', 'n');

t.test('started, resized and ended, as every reader sees it', async (t) => {
  const file = join(t.testdir(), 'rollouts.json');
  const store = fileRollouts(file);
  t.equal(await store.read('a/b'), null);
  await store.change('a/b', (before) => started(before, wanted, now));
  t.match(await fileRollouts(file).read('a/b'), { status: 'running', shares: [0.05], candidate });
  t.strictSame(await store.stable('a/b'), stable);
  await t.rejects(
    store.change('a/b', (before) => started(before, wanted, now)),
    { code: 'rollout_invalid', message: /has a rollout already/ },
  );
  await store.change('a/b', (before) => resized(before, 'a/b', 0.2));
  t.match(await store.read('a/b'), { shares: [0.05, 0.2], generation: 2 });
  const how = { status: 'promoted', by: null, evidence: null } as const;
  await store.change('a/b', (before) => ended(before, 'a/b', how, now));
  t.match(await store.list(), [{ status: 'promoted', generation: 3 }]);
  t.strictSame(await store.stable('a/b'), candidate);
  await t.rejects(
    store.change('a/b', (before) => ended(before, 'a/b', how, now)),
    { code: 'rollout_invalid', message: /has no rollout under way. The last one, of 1.1.0, was promoted/ },
  );
});

t.test('writers at the same moment lose nothing, and a batch that is told twice counts once', async (t) => {
  const file = join(t.testdir(), 'rollouts.json');
  const { id } = await fileRollouts(file).change('a/b', (before) => started(before, wanted, now));
  const add = (number: number) => fileRollouts(file).add(id, { gateway: 'g', number, counts: { [field]: 1 } });
  await add(1);
  t.strictSame({ ...(await add(1)) }, { [field]: 1 });
  t.strictSame({ ...(await add(2)) }, { [field]: 2 });
  await Promise.all(
    Array.from({ length: 5 }, () =>
      fileRollouts(file).change('a/b', (before) => resized(before, 'a/b', (before?.shares.at(-1) ?? 0) + 0.01)),
    ),
  );
  t.equal((await fileRollouts(file).read('a/b'))?.shares.length, 6);
  t.strictSame({ ...(await fileRollouts(file).counts(id)) }, { [field]: 2 });
});

t.test('a file that is none of ours is refused, and left as it is', async (t) => {
  for (const text of ['', '{', '[]', '{"format":"preamble.rollouts/1"}', '{"format":"other/1"}']) {
    const file = join(t.testdir({ 'rollouts.json': text }), 'rollouts.json');
    await t.rejects(fileRollouts(file).list(), { code: 'rollout_invalid', message: /is not of the form/ });
    await t.rejects(fileRollouts(file).add('id', { gateway: 'g', number: 1, counts: {} }), { code: 'rollout_invalid' });
    t.equal(await readFile(file, 'utf8'), text);
  }
  const file = join(t.testdir(), 'rollouts.json');
  await fileRollouts(file).change('a/b', (before) => started(before, wanted, now));
  const broken = (await readFile(file, 'utf8')).replace('"running"', '"walking"');
  await writeFile(file, broken);
  await t.rejects(fileRollouts(file).read('a/b'), { code: 'rollout_invalid', message: /preamble.rollout\/1/ });
});
