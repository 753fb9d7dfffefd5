import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { graftGguf } from '../../src/graft/gguf/graft-gguf.ts';
import { restoreGraft } from '../../src/graft/restore.ts';
import { convertGguf } from '../../src/model/convert/gguf-to-huggingface.ts';
import { digests, tinySetting, writeTinyPrompts } from './support/tiny-checkpoint.ts';
import { writeTinyGguf } from './support/tiny-gguf.ts';

const script = fileURLToPath(new URL('./support/killed-graft.ts', import.meta.url));

const { folder, source } = await tinySetting(t, { tied: false });
const file = join(folder, 'original', 'tiny.gguf');
await writeTinyGguf(source, file, 'Q8_0');
await convertGguf(file, join(folder, 'converted'));
const registry = await writeTinyPrompts(join(folder, 'others'), join(folder, 'converted'), { kind: 5 });
const request = {
  source: file,
  prompts: [registry.resolve('tiny/kind')],
  copy: 'copy',
  dryRun: false,
  type: null,
} as const;
const original = await digests(join(folder, 'original'));
const whole = join(folder, 'whole');
await graftGguf({ ...request, out: whole });
const { 'preamble-graft.json': _, ...unbroken } = await digests(whole);

const kinds: [killedAt: string, goesOnWith: string[]][] = [
  ['convert', ['convert', 'measure', 'write']],
  ['measure', ['measure', 'write']],
  ['write', ['write']],
];
for (const [killedAt, goesOnWith] of kinds) {
  t.test(`a GGUF graft that was killed at the step ${killedAt} goes on, and ends as if nothing had been`, async (t) => {
    const out = join(folder, `grafted-${killedAt}`);
    const there = await readdir(folder);
    const args = [script, 'gguf', killedAt, file, join(folder, 'others'), out];
    t.strictSame(await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit'), [null, 'SIGKILL']);
    t.equal((await readdir(folder)).includes(`grafted-${killedAt}`), false, 'there is nothing in its place');

    const steps = new Set<string>();
    await graftGguf({ ...request, out, onProgress: (step) => steps.add(step) });
    t.strictSame([...steps], goesOnWith);
    t.strictSame(new Set(await readdir(folder)), new Set([...there, `grafted-${killedAt}`]), 'nothing is left over');

    const { 'preamble-graft.json': __, ...resumed } = await digests(out);
    t.strictSame(resumed, unbroken);
    const restored = join(folder, `restored-${killedAt}`);
    await restoreGraft(out, restored, 'copy', () => {});
    t.strictSame(await digests(restored), original);
    t.strictSame(await digests(join(folder, 'original')), original, 'the source is as it was');
  });
}
