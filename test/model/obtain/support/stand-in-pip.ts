import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Puts programs of the given names into `folder`, each a script that runs `body` with `args` (what it was called with), `dest` and
 * `temporary` (where pip would put the wheel and its unfinished work) at hand. `folder` then serves as PATH.
 */
export async function standInPip(folder: string, programs: Record<string, string>): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, body] of Object.entries(programs)) {
    const path = join(folder, name);
    const script = [
      "import fs from 'node:fs';",
      'const args = process.argv.slice(2);',
      "const dest = args[args.indexOf('--dest') + 1];",
      'const temporary = process.env.TMPDIR;',
      body,
    ];
    await writeFile(`${path}.mjs`, `${script.join('\n')}\n`);
    // The test runner's own options are none of this program's business.
    await writeFile(path, `#!/bin/sh\nNODE_OPTIONS= exec '${process.execPath}' '${path}.mjs' "$@"\n`);
    await chmod(path, 0o755);
  }
  return folder;
}
