import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { obtainModel } from '../../../src/model/obtain/obtain.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';
import { type FakeHub, type Faults, fakeHub, repository } from './support/fake-hub.ts';
import { tinyModel, weightsOf } from './support/tiny-model.ts';

const files = tinyModel();
const weights = weightsOf(files);

async function hubWith(t: Test, faults: Faults): Promise<FakeHub> {
  const hub = await fakeHub(t, files, faults);
  setEnvironment(t, { PREAMBLE_CACHE: t.testdir(), HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
  return hub;
}

t.test('a connection that breaks in mid-file is taken up again where it broke', async (t) => {
  const cuts: (number | undefined)[] = [100_000, 50_000, undefined];
  const hub = await hubWith(t, { cutAfter: () => cuts.shift() });
  const { directory } = await obtainModel(repository);
  t.same(await readFile(join(directory, 'model.safetensors')), weights);
  t.equal(hub.weightRequests.length, 3);
  t.equal(hub.weightRequests[0], null);
  t.match(hub.weightRequests[1], /^bytes=[1-9]\d*-$/);
  const [second, third] = hub.weightRequests.slice(1).map((range) => Number(range?.slice(6, -1)));
  t.ok(second !== undefined && third !== undefined && third > second, 'each goes on behind the other');
});

t.test('wherever it breaks, with or without ranges and lengths, the file is whole or absent', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: weights.length }), { maxLength: 2 }),
      fc.boolean(),
      fc.boolean(),
      async (cuts, noRanges, chunked) => {
        await t.test(`${cuts.join()} ${noRanges} ${chunked}`, async (t) => {
          const left = [...cuts];
          await hubWith(t, { cutAfter: () => left.shift(), noRanges, chunked });
          const { directory } = await obtainModel(repository);
          t.same(await readFile(join(directory, 'model.safetensors')), weights);
        });
      },
    ),
    { numRuns: 12 },
  );
});

t.test('a server that always breaks off without a byte is given up, and what came is kept', async (t) => {
  let first = true;
  const hub = await hubWith(t, {
    cutAfter: () => {
      const bytes = first ? 100_000 : 0;
      first = false;
      return bytes;
    },
  });
  await t.rejects(obtainModel(repository), {
    code: 'model_unavailable',
    message: /keeps breaking off model\.safetensors/,
  });
  t.equal(hub.weightRequests.length, 4, 'three fruitless tries after the one that brought bytes');
  const left = await filesBelow(process.env['PREAMBLE_CACHE'] ?? '');
  t.ok(left.some((file) => file.endsWith('model.safetensors.part')));
  t.notOk(left.some((file) => file.endsWith('model.safetensors') || file.startsWith('models/')));
});

t.test('an overloaded server is asked again', async (t) => {
  const answers = [503, 429, 200];
  await hubWith(t, { status: () => answers.shift() ?? 200 });
  t.match(await obtainModel(repository), { source: 'hub' });
});
