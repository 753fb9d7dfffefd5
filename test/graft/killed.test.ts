import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { graftModel } from '../../src/graft/graft.ts';
import { digests, tinySetting } from './support/tiny-checkpoint.ts';

const script = fileURLToPath(new URL('./support/killed-graft.ts', import.meta.url));

t.test(
  'after kill -9 the same command goes on: it measures no second time, and ends as if nothing had been',
  async (t) => {
    const { folder, source, out, prompts } = await tinySetting(t, { shards: 3, tied: false });
    const before = await digests(source);
    const child = spawn(process.execPath, [script, 'hf', 'write', source, join(folder, 'prompts'), out], {
      stdio: 'inherit',
    });
    t.strictSame(await once(child, 'exit'), [null, 'SIGKILL']);
    t.equal(await stat(out).catch(() => null), null, 'there is nothing in its place');
    const left = (await readdir(folder)).filter((name) => name.endsWith('.partial'));
    t.equal(left.length, 1);

    const steps = new Set<string>();
    await graftModel({ source, out, prompts, copy: 'copy', dryRun: false, onProgress: (step) => steps.add(step) });
    t.strictSame([...steps], ['write']);
    const whole = join(folder, 'whole');
    await graftModel({ source, out: whole, prompts, copy: 'copy', dryRun: false });
    const { 'preamble-graft.json': _, ...resumed } = await digests(out);
    const { 'preamble-graft.json': __, ...unbroken } = await digests(whole);
    t.strictSame(resumed, unbroken);
    t.strictSame(await digests(source), before, 'the source is as it was');
    t.strictSame((await readdir(folder)).sort(), ['grafted', 'model', 'prompts', 'whole'], 'nothing is left over');
  },
);
