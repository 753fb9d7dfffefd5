import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * The folder with the packages of a requirements file, which pip fills on first use; for `PYTHONPATH`. It is filled beside and renamed, so that a run
 * that is cut off leaves nothing half done. Compiled packages fit one version of Python; the folder's name says which, and what was asked for.
 */
export async function pipFolder(name: string, requirements: string): Promise<string> {
  const { stdout: version } = await run('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2], end="")']);
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const cache = process.env['PREAMBLE_TEST_CACHE'] || join(caches, 'preamble-test');
  const folder = join(cache, `${name}-${version}-${digest}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const filling = await mkdtemp(`${folder}-`);
  try {
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', filling, '--requirement', requirements], {
      // Older versions of pip do not know the flag, and pass over the variable.
      env: { ...process.env, PIP_ROOT_USER_ACTION: 'ignore' },
    });
    // Another run may have been faster; its folder is as good.
    await rename(filling, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(filling, { recursive: true, force: true });
  }
  return folder;
}
