import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { parse } from 'yaml';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const dockerFolder = join(root, 'docker');

/** A file of `docker/`, parsed; merge keys as Compose reads them. */
export async function readYaml(file: string): Promise<unknown> {
  return parse(await readFile(join(dockerFolder, file), 'utf8'), { merge: true });
}

/** `docker/` in a folder of the test's own, without what `setup.sh` made in the clone. */
export async function copyOfDocker(t: Test): Promise<string> {
  const folder = join(t.testdir(), 'docker');
  const local = join(dockerFolder, 'local');
  await cp(dockerFolder, folder, { recursive: true, filter: (path) => path !== local });
  return folder;
}
