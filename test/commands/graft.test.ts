import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { digests, tinySetting } from '../graft/support/tiny-checkpoint.ts';

const entry = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function graft(cwd: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, 'graft', ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

t.test('plans, grafts, says that it is done, and gives the original back', async (t) => {
  const { folder: cwd, source } = await tinySetting(t, {}, { kind: 5, firm: 2 });
  const given = ['--model', './model', '--prompt', 'tiny/kind', '--prompt', 'tiny/firm@1.0.0', '--out', 'grafted'];
  const plan = await graft(cwd, ...given, '--dry-run');
  t.match(plan, { code: 0, stdout: /^Would write grafted:\n\nmodel .*\nrows +8 new, the vocabulary grows from 312 to 320\n/ });
  t.equal(await stat(join(cwd, 'grafted')).catch(() => null), null, 'nothing was written');

  const made = await graft(cwd, ...given, '--json');
  t.match(JSON.parse(made.stdout), {
    isNew: true,
    rows: 'grown',
    untied: true,
    vocabSize: { before: 312, after: 320 },
    prompts: [
      { name: 'tiny/kind', tokens: 5 },
      { name: 'tiny/firm', tokens: 2 },
    ],
    margin: { positions: Number },
  });
  t.match(await graft(cwd, ...given), { code: 0, stdout: /^grafted is there already:/ });
  const restored = await graft(cwd, '--restore', '--model', 'grafted', '--out', 'restored');
  t.match(restored, { code: 0, stdout: /^Restored preamble-tests\/tiny-chat, bit for bit \(restored\)\n$/ });
  t.strictSame(await digests(join(cwd, 'restored')), await digests(source));
});

t.test('wrong use and missing things end in one line and their code', async (t) => {
  const { folder: cwd } = await tinySetting(t);
  const uses: [string[], number, RegExp][] = [
    [['--model', './model', '--out', 'x'], 2, /^error: required option '--prompt <prompt>' not specified/],
    [['--model', './model', '--prompt', 'tiny/absent', '--out', 'x'], 1, /^preamble: There is no prompt "tiny\/absent"/],
    [['--model', './model', '--prompt', 'tiny/kind', '--prompt', 'tiny/kind@1.0.0', '--out', 'x'], 1, /named twice/],
    [['--model', './model', '--prompt', 'tiny/kind', '--out', '.'], 1, /is not empty/],
    [['--model', './absent', '--prompt', 'tiny/kind', '--out', 'x'], 1, /absent does not exist/],
    [['--model', './a.gguf', '--prompt', 'tiny/kind', '--out', 'x'], 1, /A GGUF file is grafted into a GGUF file/],
    [['--model', './a.gguf', '--prompt', 'tiny/kind', '--out', 'x', '--format', 'gguf'], 1, /Cannot read .*a.gguf/],
    [['--model', './model', '--prompt', 'tiny/kind', '--out', 'x', '--format', 'onnx'], 2, /Allowed choices are hf, gguf/],
    [['--restore', '--model', './model', '--out', 'x'], 1, /Cannot read .*preamble-graft.json/],
  ];
  for (const [args, code, message] of uses) {
    const ended = await graft(cwd, ...args);
    t.match(ended, { code, stderr: message }, args.join(' '));
    if (code === 1) t.equal(ended.stderr.split('\n').length, 2, 'one line');
  }
});
