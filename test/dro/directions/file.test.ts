import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadDirections, saveDirections } from '../../../src/dro/directions/file.ts';
import { fitDirections } from '../../../src/dro/directions/fit-directions.ts';
import { PreambleError } from '../../../src/errors.ts';
import { writeSafetensors } from '../../../src/formats/safetensors.ts';
import { plantedAnchors } from '../support/planted.ts';

const directions = fitDirections(plantedAnchors(), { seed: 1 });

t.test('what is read is what was saved, to the last bit, the rest of the basis included', async (t) => {
  const path = join(t.testdir(), 'directions.safetensors');
  await saveDirections(path, directions, 'anchors abc, seed 1');
  t.same(await loadDirections(path), { directions, source: 'anchors abc, seed 1' });
});

t.test('the same directions make the same file', async (t) => {
  const directory = t.testdir();
  const paths = [join(directory, 'a.safetensors'), join(directory, 'b.safetensors')] as const;
  for (const path of paths) await saveDirections(path, directions, 's');
  t.same(await readFile(paths[0]), await readFile(paths[1]));
});

const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof PreambleError ? error.code : String(error)),
  );

t.test('a file that is missing, cut short or another kind is told', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'directions.safetensors');
  t.equal(await codeOf(loadDirections(path)), 'file_unreadable');
  await saveDirections(path, directions, 's');
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, -4));
  t.equal(await codeOf(loadDirections(path)), 'format_invalid');
  await writeFile(
    path,
    Buffer.from(whole.toString('latin1').replace('preamble.directions/1', 'preamble.directions/9'), 'latin1'),
  );
  t.equal(await codeOf(loadDirections(path)), 'format_invalid', 'a version to come');
  await writeSafetensors(path, [{ name: 'mean', dtype: 'F32', shape: [1], bytes: () => [new Uint8Array(4)] }]);
  t.equal(await codeOf(loadDirections(path)), 'format_invalid', 'another safetensors file');
});

t.test('values that are no numbers are told', async (t) => {
  const path = join(t.testdir(), 'directions.safetensors');
  await saveDirections(path, { ...directions, mean: directions.mean.map(() => Number.NaN) }, 's');
  t.equal(await codeOf(loadDirections(path)), 'format_invalid');
});

t.test('a directory that is not there is told', async (t) => {
  const path = join(t.testdir(), 'none', 'directions.safetensors');
  t.equal(await codeOf(saveDirections(path, directions, 's')), 'file_unwritable');
});
